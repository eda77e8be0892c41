import type { PartitionText } from '../../../core/run.ts';
import type { GoldModel } from '../../../core/spec.ts';
import type { Dialect } from '../../../core/sql-engine.ts';
import type { Column } from '../../../core/types.ts';
import { parseMetadata } from '../../../iceberg/json.ts';
import type { StepDeps } from '../../../lake/deps.ts';
import { placeMetadata, plainTable, tokenOf, uuidOf } from '../../../lake/engines/staging.ts';
import { openTable } from '../../../lake/tables/table-state.ts';
import { MOST_PARTITIONS } from '../../../plan/engine-units.ts';
import { type EngineRows, insertPartitions, selectListed } from '../../../sql/engines/insert.ts';
import { pathIn, quotePath } from '../../../sql/quote.ts';
import { AttemptFailed, execute, type Work } from './statements.ts';

/** Whether nobody knows yet into how many partitions the rows of all of a table go, and that matters to the engine. */
export function needsList(
  dialect: Dialect,
  { partitionBy }: Pick<GoldModel, 'partitionBy'>,
  partitions: readonly PartitionText[] | null,
): boolean {
  if (dialect === 'spark' || partitions !== null || partitionBy.length === 0) return false;
  const most = partitionBy.reduce(
    (product, { transform }) => (transform.kind === 'bucket' ? product * transform.width : Number.POSITIVE_INFINITY),
    1,
  );
  return most > MOST_PARTITIONS;
}

/** The partitions that the model's rows are in, which the engine is asked for by a statement of its own. */
export async function listedPartitions(
  work: Work,
  rows: Omit<EngineRows, 'partitions'>,
  deps: StepDeps,
): Promise<readonly PartitionText[]> {
  const { engine, names, folder, run, unit, attempt } = work;
  const name = `${names}list`;
  const columns = rows.partitionBy.map((_, at): Column => ({ name: `p${at}`, type: { kind: 'string' } }));
  const location = deps.store.location(`${folder}list`);
  const table = plainTable(columns, location, uuidOf(name), deps.clock.now().getTime());
  await engine.show(await placeMetadata(deps.store, `${folder}list/`, name, table));
  const into = pathIn(engine.dialect, [...engine.place, name]);
  const sql = insertPartitions({ ...rows, into, partitions: null });
  await execute(deps, work, { name: 'list', sql, token: tokenOf(run, unit, attempt, 'list') });
  const found = await engine.shown(name);
  if (found === undefined) throw new AttemptFailed(`${work.model}: ${engine.title} no longer knows ${name}`);
  const metadata = parseMetadata((await deps.store.read(deps.store.key(found))).bytes, found);
  await using session = await deps.engine.open(deps.settings);
  await using _list = await openTable(deps.store, session, { schema: 'main', table: 'listed' }, metadata, columns);
  const listed = await session.rows(selectListed(quotePath('main', 'listed')));
  return listed.map((row) => columns.map((column) => (row[column.name] ?? null) as string | null));
}
