import type { SourceFormat } from '../core/spec.ts';

export type CsvFormat = Extract<SourceFormat, { kind: 'csv' }>;

/** A quote for files that have none: no text has it but by accident. */
const UNUSED = '\u001f';

/**
 * DuckDB refuses an escape that a null text contains (`\` and `\N`, as MySQL and Hive write them), and does not look for
 * escapes outside quotes. Files of such a dialect are read from a copy without escapes.
 */
export function hasForeignEscapes(format: CsvFormat): boolean {
  const mark = format.escape;
  if (mark === '' || mark === format.quote) return false;
  return format.quote === '' || format.nullText.some((text) => text.includes(mark));
}

/** The dialect in which a file, or the copy that stands for it, is read. */
export function readingDialect(format: CsvFormat): CsvFormat {
  if (!hasForeignEscapes(format)) return format;
  const quote = format.quote === '' ? UNUSED : format.quote;
  return { ...format, quote, escape: quote };
}
