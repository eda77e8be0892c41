import { OTHER_PAGES, testPages } from './pages.ts';

testPages(OTHER_PAGES);
