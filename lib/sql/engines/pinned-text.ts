import { InvalidInput } from '../../core/errors.ts';
import type { Dialect } from '../../core/sql-engine.ts';
import type { Sql } from '../../core/sql-text.ts';
import { type AthenaWord, databaseIn, requireReading, wordsOf } from '../athena.ts';
import { NOTHING, sql } from '../fragment.ts';
import { nameIn, pathIn } from '../quote.ts';
import { userSql } from '../user-sql.ts';

/** A table that a text names as `silver.orders`: where the engine finds it, and the snapshot that is read of it. */
export type PinnedTable = {
  /** As the text has it: `silver.orders`, `retail.gold.sales`. */
  readonly id: string;
  readonly place: readonly string[];
  /** Null: it has none, and no rows. */
  readonly snapshot: bigint | null;
};

/** Words that come after a table and are no other name for it. */
const CLAUSES: ReadonlySet<string> = new Set(
  (
    'where join left right full inner cross outer natural on using group having order limit offset fetch union except intersect minus ' +
    'window qualify tablesample lateral match_recognize semi anti sort cluster distribute pivot unpivot'
  ).split(' '),
);

/**
 * The text with each table that it names read at its snapshot, by the name that the engine knows it by, under the name that the text
 * had for it. Throws InvalidInput for more than one SELECT, and for a table that is named past the run: its rows would be those of now.
 */
export function pinReads(text: string, tables: readonly PinnedTable[], dialect: Dialect): Sql {
  requireReading(text);
  const words = wordsOf(text);
  const known = new Map(tables.map((table) => [table.id.toLowerCase(), table]));
  let [rest, at] = ['', 0];
  for (let index = 0; index < words.length; ) {
    const named = tableAt(words, index, known);
    const word = words[index];
    if (named === undefined) {
      refuseOther(words, index);
      index += 1;
      continue;
    }
    const end = index + named.length;
    const last = words[end - 1];
    rest += text.slice(at, word?.at) + renderNamed(named.table, words[end], dialect);
    at = (last?.at ?? 0) + (last?.text.length ?? 0);
    index = end;
  }
  return userSql((rest + text.slice(at)).replace(/;\s*$/, ''));
}

type Named = { readonly table: PinnedTable; readonly length: number };

/** The longest name of a table that begins at a word. */
function tableAt(
  words: readonly AthenaWord[],
  index: number,
  known: ReadonlyMap<string, PinnedTable>,
): Named | undefined {
  if (words[index - 1]?.text === '.') return undefined;
  for (const parts of [3, 2]) {
    const length = 2 * parts - 1;
    const names = Array.from({ length: parts }, (_, part) => plain(words[index + 2 * part]?.text ?? ''));
    const dotted = Array.from({ length: parts - 1 }, (_, part) => words[index + 2 * part + 1]?.text === '.');
    const table = dotted.every(Boolean) ? known.get(names.join('.')) : undefined;
    if (table !== undefined) return { table, length };
  }
  return undefined;
}

/** A column of it by its name, or the table at its snapshot. */
function renderNamed({ id, place, snapshot }: PinnedTable, next: AthenaWord | undefined, dialect: Dialect): Sql {
  const name = nameIn(dialect, id.split('.').at(-1) ?? id);
  const word = next?.text.toLowerCase() ?? '';
  if (word === '.') return name;
  if (word === 'for' || word === 'version' || word === 'timestamp') {
    throw new InvalidInput(
      `the text names ${id} ${word.toUpperCase()} ...: expected the name alone; a run reads each of its tables at one snapshot`,
    );
  }
  const version = dialect === 'trino' ? sql`FOR VERSION AS OF` : sql`VERSION AS OF`;
  const pinned = snapshot === null ? NOTHING : sql` ${version} ${snapshot}`;
  const renamed = word === 'as' || (/^[a-z_"`]/.test(word) && !CLAUSES.has(word));
  return renamed ? sql`${pathIn(dialect, place)}${pinned}` : sql`${pathIn(dialect, place)}${pinned} AS ${name}`;
}

function refuseOther(words: readonly AthenaWord[], index: number): void {
  const database = databaseIn(words[index]?.text ?? '');
  if (database === undefined || words[index + 1]?.text !== '.' || words[index - 1]?.text === '.') return;
  const [, layer] = /_(silver|gold|ops)$/.exec(database) ?? [];
  throw new InvalidInput(
    `the text names ${database}.${plain(words[index + 2]?.text ?? '')}: expected ${layer}.${plain(words[index + 2]?.text ?? '')}, a table that the ` +
      'DuckDB text of the model reads as well; by its own name it would be read as it is when the engine comes to it',
  );
}

function plain(text: string): string {
  return (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase();
}
