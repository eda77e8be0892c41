/** The one place where names and values become SQL text. Doubling the quote character is all DuckDB needs. */

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** DuckDB takes SQL up to its first U+0000, so that character is spelled. */
export function quoteText(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\0') ? `(${quoted.replaceAll('\0', "' || chr(0) || '")})` : quoted;
}

export function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

/** A dotted name of quoted parts: `quotePath('silver', 'x')` -> `"silver"."x"`. */
export function quotePath(...parts: readonly string[]): string {
  return parts.map(quoteName).join('.');
}
