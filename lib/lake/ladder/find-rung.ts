import type { ExchangedTable, Ladder, Stop } from '../../core/ladder.ts';
import { type GoldModel, modelId, type PipelineSpec, type TableRef } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import { chooseRung, type Rung } from '../../plan/ladder/choose-rung.ts';
import { selectAll } from '../../sql/scans.ts';
import { userTerm } from '../../sql/user-sql.ts';
import type { StepDeps } from '../deps.ts';
import { bindReads } from '../tables/bind-reads.ts';
import { findNeeds } from '../tables/read-needs.ts';
import { boundColumns, columnsOfRef } from '../tables/table-state.ts';
import { exchangesOf } from './find-exchanges.ts';
import { findSplit, readModel, type Split } from './find-split.ts';
import { bytesOfReads, type States, sizeTables } from './sized-tables.ts';

export type LadderDeps = Pick<StepDeps, 'store' | 'engine' | 'settings'>;

export type RungFound = {
  readonly rung: Rung;
  /** What units do; left out where one computes the table. */
  readonly ladder?: Ladder;
};

/** Memory for SQL to be bound over tables without rows. */
const BINDING_BYTES = 100e6;

/**
 * The rung that a gold model is on, all of which is computed, by the sizes of what it reads. Its SQL is looked into only
 * where one worker takes less than that.
 */
export async function findRung(
  deps: LadderDeps,
  spec: PipelineSpec,
  model: GoldModel,
  { states, worker, also }: { states: States; worker: number; also: Readonly<Record<string, readonly Column[]>> },
): Promise<RungFound> {
  const all = bytesOfReads(model, states);
  if (all <= worker) return { rung: { rung: 1, bytes: all, worker } };
  const needs = await findNeeds(deps, selectAll(userTerm(model.sql)), (session) =>
    bindReads(session, spec, model, also),
  );
  const tables = await sizeTables(deps.store, spec, model, { states, needs, also });
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  if (bytes <= worker) return { rung: { rung: 1, bytes, worker } };
  const { split, exchanges } = await readSql(deps, spec, model, { states, also });
  const keys = 'stops' in split ? 0 : split.columns.filter(({ key }) => key).length;
  const rung = chooseRung({
    tables,
    worker,
    split: 'stops' in split ? split : { tables: split.tables, keys },
    exchanges,
  });
  const ladder = ladderOf(rung, split);
  return ladder === undefined ? { rung } : { rung, ladder };
}

type Also = Readonly<Record<string, readonly Column[]>>;

/** What a model's SQL permits. */
async function readSql(
  { engine, settings }: LadderDeps,
  spec: PipelineSpec,
  model: GoldModel,
  { states, also }: { states: States; also: Also },
): Promise<{ readonly split: Split | Stop; readonly exchanges: readonly (readonly ExchangedTable[])[] | Stop }> {
  const log = { stops: 'the log of a keyed table' };
  if (model.readsLogs.length > 0) return { split: log, exchanges: log };
  const memoryBytes = Math.min(settings.memoryBytes, BINDING_BYTES);
  await using session = await engine.open({ ...settings, memoryBytes, threads: 1, folders: undefined });
  await bindReads(session, spec, model, also);
  const read = await readModel(session, spec, model, also);
  const columnsOf = (ref: TableRef): readonly Column[] =>
    boundColumns(states.get(modelId(ref)), [...columnsOfRef(spec, ref), ...(also[modelId(ref)] ?? [])]);
  return { split: await findSplit(session, read), exchanges: exchangesOf(read, columnsOf) };
}

function ladderOf(rung: Rung, split: Split | Stop): Ladder | undefined {
  if (rung.rung === 3) return { rung: 3, tables: rung.tables, buckets: rung.buckets };
  if (rung.rung !== 2 || 'stops' in split) return undefined;
  const { tables: _tables, ...made } = split;
  return { rung: 2, table: rung.table, buckets: rung.buckets, ...made };
}
