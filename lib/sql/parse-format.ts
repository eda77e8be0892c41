import type { Sql } from '../core/sql-text.ts';
import { join, sql } from './fragment.ts';
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
export function parseFormats(kind: 'date' | 'timestamp' | 'timestamptz', formats: readonly string[], text: Sql): Sql {
  const tried = formats.map((format) => {
    const read = parseTimeFormat(format);
    if (read.kind === 'unknown') throw new RangeError(`the format '${format}' has the unknown part '${read.field}'`);
    const value = parseFormat(read.parts, text);
    const fitting = kind === 'date' && hasTime(read.parts) ? wholeDay(value) : value;
    return sql`CASE WHEN regexp_full_match(${text}, ${quoteText(renderGrammar(read.parts))}) THEN ${fitting} END`;
  });
  const [only, ...others] = tried;
  return only !== undefined && others.length === 0 ? sql`(${only})` : sql`COALESCE(${join(tried)})`;
}

/** The instant as the format reads it, from a text that looks like the format. */
function parseFormat(parts: readonly FormatPart[], text: Sql): Sql {
  const at = parts.findIndex((part) => part.kind === 'field' && (part.field === '%z' || part.field === '%Z'));
  const zone = parts[at];
  if (zone?.kind !== 'field') return parseLocal(parts, text);
  const [before, after] = [parts.slice(0, at), parts.slice(at + 1)];
  const blank: FormatPart = { kind: 'text', text: sql` ` };
  const split = quoteText(
    `^(${renderGrammar(before)})(${renderGrammar([zone]).slice(3, -3)})(${renderGrammar(after)})$`,
  );
  const local = parseLocal([...before, blank, ...after], sql`trim(regexp_replace(${text}, ${split}, '\\1 \\3'))`);
  return shift(local, sql`regexp_extract(${text}, ${split}, 2)`, zone.field);
}

/** A zone beside every instant leaves DuckDB nothing to remember. A local time that its zone skips is none. */
function shift(local: Sql, zone: Sql, field: string): Sql {
  if (field === '%z') return sql`CAST(TRY_CAST(CAST(${local} AS VARCHAR) || ${zone} AS TIMESTAMPTZ) AS TIMESTAMP)`;
  const instant = sql`TRY_CAST(CAST(${local} AS VARCHAR) || ' ' || ${zone} AS TIMESTAMPTZ)`;
  return sql`(CASE WHEN ${instant} IS NOT NULL THEN CASE WHEN timezone(${zone}, ${instant}) = ${local} THEN CAST(${instant} AS TIMESTAMP) END END)`;
}

function parseLocal(parts: readonly FormatPart[], text: Sql): Sql {
  const local = sql`CAST(try_strptime(${text}, ${quoteText(renderTimeFormat(parts).trim())}) AS TIMESTAMP)`;
  if (!mayContradict(parts)) return local;
  const same = parts.flatMap((part, at) => {
    if (part.kind === 'text') return [];
    const written = sql`regexp_extract(${text}, ${quoteText(`^${renderGrammar(parts, at)}$`)}, 1)`;
    return [
      sql`${plain(written, part.field)} = ${plain(sql`strftime(${local}, ${quoteText(part.field)})`, part.field)}`,
    ];
  });
  return sql`(CASE WHEN ${join(same, ' AND ')} THEN ${local} END)`;
}

function plain(text: Sql, field: string): Sql {
  return /^%[fgn]$/.test(field) ? sql`rtrim(${text}, '0')` : sql`lower(ltrim(${text}, '0'))`;
}

function wholeDay(instant: Sql): Sql {
  return sql`(CASE WHEN date_trunc('day', ${instant}) = ${instant} THEN ${instant} END)`;
}
