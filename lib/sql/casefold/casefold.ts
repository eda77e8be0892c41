import type { Sql, SqlLiteral } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { sql } from '../fragment.ts';
import { quoteText } from '../quote.ts';
import { type Foldings, foldings } from './foldings.ts';

/** As SQL of a pipeline names it. */
export const CASEFOLD = 'casefold';

/** Characters that are looked up in one place; most of these are empty. */
const PAGE = 64;
/** No character becomes it. */
const BETWEEN = '\n';
const [PAGES, TEXTS] = [quoteText('casefold pages'), quoteText('casefold texts')];

let made: readonly Statement[] | undefined;

/**
 * What makes `casefold(text)` known to a session: the text in NFKC, case-folded, and composed. Texts are equal by it when they
 * differ in case, in how letters are composed, or in forms that Unicode has for compatibility.
 */
export function setCasefold(): readonly Statement[] {
  made ??= renderCasefold(foldings());
  return made;
}

/** Undoes it. */
export function dropCasefold(): readonly Statement[] {
  return [
    { name: 'drop casefold', text: sql`DROP MACRO IF EXISTS casefold` },
    { name: 'drop pages of casefold', text: sql`RESET VARIABLE "casefold pages"` },
    { name: 'drop texts of casefold', text: sql`RESET VARIABLE "casefold texts"` },
  ];
}

function renderCasefold({ texts, apart }: Foldings): readonly Statement[] {
  const numbers = [...texts.keys()];
  const pages = [...new Set(numbers.map((number) => Math.floor(number / PAGE)))];
  const pageOf = new Map(pages.map((page, nth) => [page, nth]));
  const index = Array.from({ length: Math.max(...pages) + 1 }, (_, page) => pageOf.get(page) ?? 0);
  const each = pages.flatMap((page) => Array.from({ length: PAGE }, (_, nth) => texts.get(page * PAGE + nth) ?? ''));
  return [
    {
      name: 'pages of casefold',
      text: sql`SET VARIABLE "casefold pages" = CAST(string_split(${quoteText(index.join(','))}, ',') AS INTEGER[])`,
    },
    {
      name: 'texts of casefold',
      text: sql`SET VARIABLE "casefold texts" = string_split(${quoteText(each.join(BETWEEN))}, chr(10))`,
    },
    { name: CASEFOLD, text: renderMacro(renderClass(numbers), apart) },
  ];
}

/** Of the characters of a text only those are looked up that become others, each once; most texts have none. */
function renderMacro(changing: SqlLiteral, apart: Foldings['apart']): Sql {
  const whole = apart.reduce(
    (text, [character, parts]) => sql`replace(${text}, ${quoteText(character)}, ${quoteText(parts)})`,
    sql`folded`,
  );
  const text = sql`lower(nfc_normalize(${whole}))`;
  const place = sql`getvariable(${PAGES})[unicode(one) // ${PAGE} + 1] * ${PAGE} + unicode(one) % ${PAGE} + 1`;
  return sql`CREATE OR REPLACE MACRO casefold(folded) AS CASE
  WHEN strlen(folded) = length(folded) THEN lower(folded)
  ELSE nfc_normalize(list_reduce(
    list_distinct(regexp_extract_all(${text}, ${changing})),
    lambda done, one: replace(done, one, getvariable(${TEXTS})[${place}]),
    ${text}
  )) END`;
}

/** Numbers of characters, in order, as a class of a regular expression. */
function renderClass(numbers: readonly number[]): SqlLiteral {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const hex = (number: number): string => `\\x{${number.toString(16)}}`;
  return quoteText(`[${ranges.map(([first, last]) => `${hex(first)}-${hex(last)}`).join('')}]`);
}
