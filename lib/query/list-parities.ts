import { InvalidInput } from '../core/errors.ts';
import { opsTable } from '../core/ops.ts';
import { fullName, parseTableName } from '../core/tables.ts';
import type { Row } from '../ports.ts';
import { type Newest, type ParityFilter, selectParities } from '../sql/parities.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { queryRows } from './select.ts';

/** A comparison of two texts of a model, as a run found it. */
export type RecordedParity = {
  readonly run_id: string;
  /** The table, by its full name. */
  readonly model: string;
  readonly left: string;
  readonly right: string;
  readonly equal: boolean;
  readonly rows: number | null;
  readonly right_rows: number | null;
  readonly keys: number | null;
  readonly differing: number | null;
  readonly sums: Readonly<Record<string, readonly [string | null, string | null]>>;
  readonly error: string | null;
  readonly digest: string;
  readonly compared_at: string;
};

/** Of the tables of some pipelines, or of the one named: the latest comparisons, the newest first. */
export async function listParities(
  deps: QueryDeps,
  {
    table,
    pipelines,
    limit,
  }: { readonly table?: string; readonly pipelines: readonly string[]; readonly limit: number },
): Promise<readonly RecordedParity[]> {
  const named = table === undefined ? undefined : goldTable(table);
  const found: RecordedParity[] = [];
  for (const pipeline of named === undefined ? pipelines : [named.pipeline]) {
    const filter = named === undefined ? {} : { model: `gold.${named.name}` };
    found.push(...(await paritiesOf(deps, pipeline, filter, { rows: limit })));
  }
  return found;
}

/** Throws InvalidInput for a name that is not of a gold table. */
export function goldTable(name: string): { readonly pipeline: string; readonly name: string } {
  const id = parseTableName(name);
  if (id.layer === 'gold') return id;
  throw new InvalidInput(
    `${name}: got a table of ${id.layer}; expected one of gold, whose models alone have several texts`,
  );
}

/** Those of one pipeline; none before a run has compared anything. */
export async function paritiesOf(
  deps: QueryDeps,
  pipeline: string,
  filter: ParityFilter,
  newest: Newest,
): Promise<readonly RecordedParity[]> {
  if ((await loadTable(deps.catalog, opsTable(pipeline, 'parity'))) === undefined) return [];
  return (await queryRows(deps, selectParities(pipeline, filter, newest))).map((row) => parityOf(pipeline, row));
}

function parityOf(pipeline: string, row: Row): RecordedParity {
  const text = (name: string): string => String(row[name]);
  const count = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  return {
    run_id: text('run_id'),
    model: fullName({ pipeline, layer: 'gold', name: text('model').slice('gold.'.length) }),
    left: text('left'),
    right: text('right'),
    equal: row['equal'] === true,
    rows: count('rows'),
    right_rows: count('right_rows'),
    keys: count('keys'),
    differing: count('differing'),
    sums: JSON.parse(text('sums')) as RecordedParity['sums'],
    error: row['error'] === null ? null : text('error'),
    digest: text('digest'),
    compared_at: text('compared_at'),
  };
}
