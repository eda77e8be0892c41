import { formatTime } from '../human.ts';
import { type Html, html } from './html.ts';

/** A time of a page, on one line; `-` where there is none. */
export function renderTime(time: string | number | null): Html {
  return time === null ? html`-` : html`<time>${formatTime(time)}</time>`;
}
