import { type Html, html, type Part } from './html.ts';
import { STYLE } from './style.ts';

export type PageDocument = {
  readonly title: string;
  /** Below the title. */
  readonly about: Part;
  /** What a screen reader calls the links, which are items of a list. */
  readonly links: { readonly label: string; readonly items: Part };
  readonly main: Part;
  readonly footer: Part;
};

/**
 * A page that opens from disk: it has no script, and neither loads nor names anything but pages beside it. What came from data is text,
 * whatever it holds.
 */
export function renderDocument({ title, about, links, main, footer }: PageDocument): string {
  const page: Html = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer"><title>${title}</title><style>${STYLE}</style></head>
<body><a class="skip" href="#content">Skip to the content</a>
<header><h1>${title}</h1><p class="dim">${about}</p></header>
<nav aria-label="${links.label}"><ul>${links.items}</ul></nav>
<main id="content" tabindex="-1">
${main}</main>
<footer><p class="dim">${footer}</p></footer>
</body></html>
`;
  return page.markup;
}
