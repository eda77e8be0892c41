import { FIRST_PAGES, testPages } from './pages.ts';

testPages(FIRST_PAGES);
