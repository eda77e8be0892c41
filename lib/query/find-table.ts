import { InvalidInput } from '../core/errors.ts';
import { OPS_TABLES } from '../core/ops.ts';
import { nearest } from '../core/suggest.ts';
import { fullName, parseTableName, type TableId } from '../core/tables.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import type { Catalog } from '../ports.ts';
import { loadTable } from '../table/read.ts';

export type FoundTable = {
  readonly id: TableId;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string;
};

const MOST_LISTED = 12;

/**
 * The table of a full name, ignoring case as DuckDB does. Throws InvalidInput that names the nearest table, or the
 * known ones, when there is none.
 */
export async function findTable(catalog: Catalog, name: string): Promise<FoundTable> {
  const found = (await lookUp(catalog, name)) ?? (await lookUp(catalog, await sameButCase(catalog, name)));
  if (found !== undefined) return found;
  throw new InvalidInput(
    `no table ${JSON.stringify(name)}: expected ${expectedTable(name, await tableNames(catalog))}`,
  );
}

/** Full names of all tables, in order. */
export async function tableNames(catalog: Catalog): Promise<readonly string[]> {
  return (await catalog.list()).map(fullName).sort();
}

/** What may stand where an unknown table was named: the nearest name, or the names that exist. */
export function expectedTable(name: string, known: readonly string[]): string {
  const books = /^([a-z][a-z0-9_]*)_ops\.(\w+)$/.exec(name.toLowerCase());
  if (books !== null && Object.hasOwn(OPS_TABLES, books[2] ?? '')) {
    return `a pipeline that has run: its ${books[2]} is there from its first run on (strata run ${books[1]})`;
  }
  if (known.length === 0) return 'a table, but the lake has none yet: land files and run a pipeline first';
  const near = nearestTable(name, known);
  if (near !== undefined) return `a table that exists; did you mean ${near}?`;
  // Nobody asks for the books by mistake.
  const tables = known.filter((one) => !/_ops\./.test(one));
  const more = tables.length > MOST_LISTED ? `, ... (strata tables lists all ${known.length})` : '';
  return `one of ${tables.slice(0, MOST_LISTED).join(', ')}${more}`;
}

/** `monthly_revenue` and `gold.monthly_revenue` are short for a full name; anything else is compared by spelling. */
function nearestTable(name: string, known: readonly string[]): string | undefined {
  const folded = name.toLowerCase();
  const ending = known.filter((one) => [`.${folded}`, `_${folded}`].some((end) => one.toLowerCase().endsWith(end)));
  return ending.length === 1 ? ending[0] : nearest(name, known);
}

async function lookUp(catalog: Catalog, name: string | undefined): Promise<FoundTable | undefined> {
  const id = name === undefined ? undefined : tableIdIfAny(name);
  const entry = id === undefined ? undefined : await loadTable(catalog, id);
  return id === undefined || entry === undefined
    ? undefined
    : { id, metadata: entry.metadata, metadataLocation: entry.metadataLocation };
}

/** The table that a text may be the full name of. */
export function tableIdIfAny(name: string): TableId | undefined {
  try {
    return parseTableName(name);
  } catch {
    return undefined;
  }
}

async function sameButCase(catalog: Catalog, name: string): Promise<string | undefined> {
  return (await tableNames(catalog)).find((known) => known.toLowerCase() === name.toLowerCase());
}
