/** The one place where names and values become SQL text. Doubling the quote character is all DuckDB needs. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

/** A dotted name of quoted parts: `quotePath('silver', 'x')` -> `"silver"."x"`. */
export function quotePath(...parts: readonly string[]): string {
  return parts.map(quoteName).join('.');
}
