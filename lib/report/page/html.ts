import { visibleProse, visibleText } from '../../core/visible.ts';

/** A piece of a page. Text becomes one by `html` alone, which escapes it: what came from data cannot be read as markup. */
export type Html = { readonly markup: string };

export type Part = Html | string | number | null | readonly Part[];

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A template whose values are escaped, in text and in quoted attributes; lists are joined, null is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: strings.reduce((markup, text, at) => markup + renderPart(parts[at - 1] ?? null) + text) };
}

function renderPart(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return visibleProse(part).replaceAll(/[&<>"']/g, (char) => NAMED[char] ?? char);
  return 'markup' in part ? part.markup : part.map(renderPart).join('');
}

/** The same in a Markdown table: on one line, and none of it is Markdown or HTML. */
export function markdownText(text: string): string {
  return visibleText(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_{}[\]<>|#&~!]/g, (char) => `\\${char}`);
}
