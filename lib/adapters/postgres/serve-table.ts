import type { Statement } from '../../core/statement.ts';
import type { SinkOutcome, SinkRows, SinkRun, SinkTable } from '../../ports.ts';
import { type BookRow, insertServed, selectVersions, versionName } from '../../sql/postgres/books.ts';
import {
  addColumns,
  analyze,
  appendRows,
  copyIn,
  createStage,
  createTarget,
  describeTables,
  dropVersion,
  keepVersion,
  mergeRows,
  replaceRows,
  stagesOf,
  type Target,
} from '../../sql/postgres/tables.ts';
import type { Connection, Copied } from './client.ts';
import type { TargetPlan } from './targets.ts';

/** What was served last of a table. */
export type Served = { readonly run_id: string; readonly snapshot_id: string | null };

export type ToServe = {
  readonly table: SinkTable;
  readonly target: TargetPlan;
  /** Its place among the tables of the run, which tells their stages apart. */
  readonly at: number;
  readonly latest: Served | undefined;
};

/** Versions beyond those that are kept which are looked for at a time. */
const LOOKED_FOR = 100;

/** Serves one table within the transaction that the connection has begun. */
export async function serveTable(connection: Connection, run: SinkRun, to: ToServe): Promise<SinkOutcome> {
  const { table, target, latest } = to;
  const { schema } = run;
  if (target.kind === 'made') await connection.run(createTarget(schema, table));
  else if (target.added.length > 0) await connection.run(addColumns(schema, table.name, target.added));
  const rows = await table.rows(isKnown(to) ? (latest?.snapshot_id ?? null) : null);
  const book: BookRow = {
    pipeline: run.pipeline,
    run_id: run.run_id,
    table: table.name,
    snapshot_id: table.snapshot_id,
    rows: 0,
    sha256: null,
  };
  if (rows.kind === 'unchanged') {
    await connection.run(insertServed(schema, book));
    return { name: table.name, how: 'unchanged', rows: 0, snapshot_id: table.snapshot_id };
  }
  if (table.keep > 0 && target.kind === 'there' && latest !== undefined) {
    const version = versionName(table.name, await madeBy(connection, run, table, latest));
    for (const statement of keepVersion(schema, table.name, version)) await connection.run(statement);
  }
  const copied = await copyRows(connection, run, to, rows);
  await connection.run(insertServed(schema, { ...book, ...copied }));
  if (table.keep > 0) await dropVersions(connection, run, table);
  return { name: table.name, how: rows.kind, rows: copied.rows, snapshot_id: table.snapshot_id };
}

/**
 * Whether what the book says is what the table has. A table that is made is empty; and a column that is added may have values in rows that
 * were served without it, as one that was renamed has. To these nothing can be appended.
 */
function isKnown({ table, target }: ToServe): boolean {
  return target.kind === 'there' && (target.added.length === 0 || table.mode === 'append');
}

type Copying = Exclude<SinkRows, { readonly kind: 'unchanged' }>;

async function copyRows(
  connection: Connection,
  { schema }: SinkRun,
  { table, at }: ToServe,
  rows: Copying,
): Promise<Copied> {
  const stages = stagesOf(at);
  const all = table.columns.map(({ name }) => name);
  await connection.run(createStage(schema, table.name, stages.rows, all));
  const copied = await connection.copyIn(copyIn(stages.rows, all), rows.path);
  await connection.run(analyze(stages.rows));
  if (rows.kind === 'changes' && rows.gone !== null) {
    await connection.run(createStage(schema, table.name, stages.gone, table.key));
    await connection.copyIn(copyIn(stages.gone, table.key), rows.gone);
    await connection.run(analyze(stages.gone));
  }
  for (const statement of changeOf({ schema, table, stages }, table, rows)) await connection.run(statement);
  return copied;
}

function changeOf(target: Target, { mode, truncate }: SinkTable, rows: Copying): readonly Statement[] {
  const whole = rows.kind === 'whole';
  switch (mode) {
    case 'replace':
      return replaceRows(target, truncate);
    case 'merge':
      return mergeRows(target, whole ? 'others' : rows.gone === null ? 'none' : 'these');
    case 'append':
      return appendRows(target, whole);
  }
}

/** The run that last changed the table: later ones may have found it as it was. */
async function madeBy(connection: Connection, run: SinkRun, table: SinkTable, latest: Served): Promise<string> {
  const [row] = await connection.run(selectVersions(run.schema, run.pipeline, table.name));
  return row === undefined ? latest.run_id : String(row['run_id']);
}

async function dropVersions(
  connection: Connection,
  { schema, pipeline }: SinkRun,
  { name, keep }: SinkTable,
): Promise<void> {
  const made = await connection.run(selectVersions(schema, pipeline, name));
  // The first is the table as it is now.
  const beyond = made.slice(keep + 1, keep + 1 + LOOKED_FOR).map((row) => versionName(name, String(row['run_id'])));
  if (beyond.length === 0) return;
  const there = new Set((await connection.run(describeTables(schema, beyond))).map((row) => String(row['table'])));
  for (const version of there) await connection.run(dropVersion(schema, version));
}
