import { quoteText } from './quote.ts';
import {
  type FormatPart,
  hasTime,
  mayContradict,
  parseTimeFormat,
  renderGrammar,
  renderTimeFormat,
} from './time-format.ts';

/**
 * A text in the first of the formats that it fits, as an instant in UTC. It fits a format if the instant, written in that
 * format, says the same. DuckDB's own reading of a list of formats, or of an offset, lets a row's value depend on the
 * rows before it (its calendar keeps the zone), takes `26` for the year 26 and the words `epoch` and `infinity` for 1900.
 */
export function parseFormats(
  kind: 'date' | 'timestamp' | 'timestamptz',
  formats: readonly string[],
  text: string,
): string {
  const tried = formats.map((format) => {
    const read = parseTimeFormat(format);
    if (read.kind === 'unknown') throw new RangeError(`the format '${format}' has the unknown part '${read.field}'`);
    const value = parseFormat(read.parts, text);
    const fitting = kind === 'date' && hasTime(read.parts) ? wholeDay(value) : value;
    return `CASE WHEN regexp_full_match(${text}, ${quoteText(renderGrammar(read.parts))}) THEN ${fitting} END`;
  });
  return tried.length === 1 ? `(${tried.join('')})` : `COALESCE(${tried.join(', ')})`;
}

/** The instant as the format reads it, from a text that looks like the format. */
function parseFormat(parts: readonly FormatPart[], text: string): string {
  const at = parts.findIndex((part) => part.kind === 'field' && (part.field === '%z' || part.field === '%Z'));
  const zone = parts[at];
  if (zone?.kind !== 'field') return parseLocal(parts, text);
  const [before, after] = [parts.slice(0, at), parts.slice(at + 1)];
  const blank: FormatPart = { kind: 'text', text: ' ' };
  const split = quoteText(
    `^(${renderGrammar(before)})(${renderGrammar([zone]).slice(3, -3)})(${renderGrammar(after)})$`,
  );
  const local = parseLocal([...before, blank, ...after], `trim(regexp_replace(${text}, ${split}, '\\1 \\3'))`);
  return shift(local, `regexp_extract(${text}, ${split}, 2)`, zone.field);
}

/** A zone beside every instant leaves DuckDB nothing to remember. A local time that its zone skips is none. */
function shift(local: string, zone: string, field: string): string {
  if (field === '%z') return `CAST(TRY_CAST(CAST(${local} AS VARCHAR) || ${zone} AS TIMESTAMPTZ) AS TIMESTAMP)`;
  const instant = `TRY_CAST(CAST(${local} AS VARCHAR) || ' ' || ${zone} AS TIMESTAMPTZ)`;
  return `(CASE WHEN ${instant} IS NOT NULL THEN CASE WHEN timezone(${zone}, ${instant}) = ${local} THEN CAST(${instant} AS TIMESTAMP) END END)`;
}

function parseLocal(parts: readonly FormatPart[], text: string): string {
  const local = `CAST(try_strptime(${text}, ${quoteText(renderTimeFormat(parts).trim())}) AS TIMESTAMP)`;
  if (!mayContradict(parts)) return local;
  const same = parts.flatMap((part, at) => {
    if (part.kind === 'text') return [];
    const written = `regexp_extract(${text}, ${quoteText(`^${renderGrammar(parts, at)}$`)}, 1)`;
    return [`${plain(written, part.field)} = ${plain(`strftime(${local}, ${quoteText(part.field)})`, part.field)}`];
  });
  return `(CASE WHEN ${same.join(' AND ')} THEN ${local} END)`;
}

function plain(text: string, field: string): string {
  return /^%[fgn]$/.test(field) ? `rtrim(${text}, '0')` : `lower(ltrim(${text}, '0'))`;
}

function wholeDay(instant: string): string {
  return `(CASE WHEN date_trunc('day', ${instant}) = ${instant} THEN ${instant} END)`;
}
