import { InvalidInput } from '../core/errors.ts';
import { LOG_SUFFIX } from '../core/keyed.ts';
import type { RunRef } from '../core/run.ts';
import type { ModelSpec, PipelineSpec, SilverModel } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import { layoutNeedsMore } from '../iceberg/rollback-schema.ts';
import { currentSnapshot, RUN_ID, snapshotsSince } from '../iceberg/snapshot.ts';
import type { Snapshot } from '../iceberg/types.ts';
import type { StepDeps } from '../lake/deps.ts';
import { type LostFile, REINGESTED, type Reopening, type RollbackPlan, takenSince } from '../lake/maintain/rollback.ts';
import { readPlanIfAny } from '../lake/run/run-folder.ts';
import { madeProperties } from '../lake/tables/made-by.ts';
import { tableIdOf } from '../lake/tables/table-state.ts';
import type { FoundTable } from '../query/find-table.ts';
import { readFinishTimes } from '../query/finish-times.ts';
import { lineageOf } from '../query/lineage.ts';
import { parseMoment, snapshotAt } from '../query/moment.ts';
import { formerSpecs } from '../table/former-specs.ts';
import { logOf, sameMoment } from './tag-table.ts';

export type RollbackRequest = {
  /** By full name. */
  readonly table: string;
  /** A run, a tag, a snapshot id or a time, as --as-of takes it. */
  readonly to: string;
  /** Files that were taken since become new again, for this table. */
  readonly reingest?: boolean;
  readonly dryRun?: boolean;
};

/** A snapshot whose change is undone. */
export type Undone = { readonly snapshot_id: string; readonly run_id: string | null; readonly operation: string };

export type LostRows = { readonly file: string; readonly run_id: string; readonly again: boolean };

export type PlannedRollback = {
  readonly plan: RollbackPlan;
  readonly undone: readonly Undone[];
  readonly files: readonly LostRows[];
  readonly due: readonly string[];
};

/** What going back would do; writes nothing. Throws InvalidInput where it cannot be right. */
export async function planRollback(
  deps: StepDeps,
  run: RunRef,
  table: FoundTable,
  request: RollbackRequest,
): Promise<PlannedRollback> {
  const spec = await specIfAny(deps, run.pipeline);
  const model = spec?.models.find((one) => fullName(tableIdOf(spec, one)) === fullName(table.id));
  requireKind(table, model);
  const to = await rollbackTarget(deps, table, request.to);
  requireKnownFiles(table, to);
  const undone = undoneBy(table, to);
  const tables = await tablePlans(deps, run, table, to, model);
  const since = await sinceOf(deps, run, to);
  const source = spec !== undefined && model?.layer === 'silver' ? sourceOf(spec, model, since) : undefined;
  const lost = source === undefined ? [] : await takenSince(deps, run.pipeline, source);
  const reopen = request.reingest === true ? reopening(table, source, lost) : undefined;
  const again = new Set(reopen?.files.map(({ key, etag }) => `${etag} ${key}`));
  const created_at = deps.clock.now().toISOString();
  return {
    plan: { run: refOf(run), created_at, tables, ...(reopen === undefined ? {} : { reopen }) },
    undone,
    files: lost.map(({ key, etag, run_id }) => ({ file: key, run_id, again: again.has(`${etag} ${key}`) })),
    due: spec === undefined || model === undefined ? [] : dueBy(spec, model),
  };
}

function refOf({ pipeline, run_id, dry_run }: RunRef): RunRef {
  return { pipeline, run_id, dry_run };
}

/** The pipeline as it is now; undefined where there is none, or none that compiles. */
async function specIfAny(deps: StepDeps, pipeline: string): Promise<PipelineSpec | undefined> {
  try {
    return await deps.specs(pipeline);
  } catch (cause) {
    if (cause instanceof InvalidInput) return undefined;
    throw cause;
  }
}

function requireKind({ id }: FoundTable, model: ModelSpec | undefined): void {
  const refuse = (got: string, expected: string): never => {
    throw new InvalidInput(`${fullName(id)} is left as it is: got ${got}; expected ${expected}`);
  };
  if (id.layer === 'ops')
    refuse(`a table of the books of ${id.pipeline}, which say what has happened`, 'a table of silver');
  if (id.name.endsWith(LOG_SUFFIX)) {
    refuse(
      'the log of a keyed table',
      `the table itself, ${fullName(id).slice(0, -LOG_SUFFIX.length)}, with which its log goes back`,
    );
  }
  if (model?.layer === 'gold') {
    refuse(
      'a table of gold, which the next run would compute from its inputs as they are',
      'the table of silver that is wrong',
    );
  }
}

/** The snapshot that a table goes back to. Throws InvalidInput where there is none, or the table cannot have its columns. */
export async function rollbackTarget(deps: StepDeps, table: FoundTable, text: string): Promise<Snapshot> {
  await using session = await deps.engine.open(deps.settings);
  const times = (pipeline: string): Promise<ReadonlyMap<string, number>> => readFinishTimes(deps, session, pipeline);
  const moment = await parseMoment(deps.catalog, text, [table], times).catch((cause: unknown) => {
    if (!(cause instanceof InvalidInput)) throw cause;
    throw new InvalidInput(cause.message.replace('--as-of', '--to'), [], { cause });
  });
  const to = snapshotAt(table, moment);
  if (to['snapshot-id'] === currentSnapshot(table.metadata)?.['snapshot-id']) {
    throw new InvalidInput(`${fullName(table.id)} is what it was at ${text}; there is nothing to go back from`);
  }
  if (layoutNeedsMore(table.metadata, to['snapshot-id'])) {
    throw new InvalidInput(
      `${fullName(table.id)} is left as it is: it is partitioned or ordered by a column that it did not have at ${text}. ` +
        `Make it anew instead: strata backfill ${table.id.pipeline} --select ${table.id.name}`,
    );
  }
  return to;
}

/** What came after a snapshot, the latest first. */
function newerThan({ metadata }: FoundTable, to: Snapshot): readonly Snapshot[] {
  const newer = snapshotsSince(metadata, to['snapshot-id']);
  return newer ?? metadata.snapshots.filter((one) => isAfter(one, to)).reverse();
}

function undoneBy(table: FoundTable, to: Snapshot): readonly Undone[] {
  return newerThan(table, to).map((snapshot) => ({
    snapshot_id: snapshot['snapshot-id'].toString(),
    run_id: snapshot.summary[RUN_ID] ?? null,
    operation: snapshot.summary.operation,
  }));
}

function isAfter(one: Snapshot, other: Snapshot): boolean {
  return one['sequence-number'] > other['sequence-number'];
}

/** Of the table and, of a keyed one, its log, which share their buckets. */
async function tablePlans(
  deps: StepDeps,
  run: RunRef,
  table: FoundTable,
  to: Snapshot,
  model: ModelSpec | undefined,
): Promise<RollbackPlan['tables']> {
  const log = await logOf(deps, table.id);
  const goals = [{ table, to, properties: await madeThen(deps, run, to, model) }];
  if (log !== undefined) goals.push({ table: log, to: await sameMoment(deps, log, table, to), properties: {} });
  const former = goals.map((one) => ({ metadata: one.table.metadata, snapshotId: one.to['snapshot-id'] }));
  const specs = await formerSpecs(deps.store, former);
  return goals.map((one, i) => {
    const spec_id = specs[i]?.['spec-id'];
    return {
      table: one.table.id,
      to: one.to['snapshot-id'].toString(),
      snapshot_id: deps.ids.snapshot().toString(),
      properties: one.properties,
      ...(spec_id === undefined ? {} : { spec_id }),
    };
  });
}

/** What the table said of what made it, by the plan of the run that left it so; nothing where that is not known. */
async function madeThen(
  deps: StepDeps,
  run: RunRef,
  to: Snapshot,
  model: ModelSpec | undefined,
): Promise<Readonly<Record<string, string>>> {
  const plan = await planOf(deps, run, to);
  const then = plan?.spec.models.find((one) => one.id === model?.id);
  return plan === undefined || then === undefined ? {} : madeProperties(plan.spec, then);
}

async function planOf(deps: StepDeps, { pipeline }: RunRef, { summary }: Snapshot) {
  const run_id = summary[RUN_ID];
  return run_id === undefined ? undefined : readPlanIfAny(deps.store, { pipeline, run_id, dry_run: false });
}

/** When the run was planned that left the table so, as the ledger says of its files. */
async function sinceOf(deps: StepDeps, run: RunRef, to: Snapshot): Promise<string> {
  return (await planOf(deps, run, to))?.created_at ?? new Date(Number(to['timestamp-ms'])).toISOString();
}

function sourceOf(spec: PipelineSpec, model: SilverModel, since: string): Omit<Reopening, 'files'> {
  const readers = spec.models.filter((one) => one.layer === 'silver' && one.from === model.from);
  const names = readers.map((one) => fullName(tableIdOf(spec, one)));
  const table = fullName(tableIdOf(spec, model));
  return { source: model.from, table, since, others: names.filter((name) => name !== table) };
}

/** Files that became new again would be taken beside their rows, which come back. */
function requireKnownFiles(table: FoundTable, to: Snapshot): void {
  const { id } = table;
  // A compaction carries on what the snapshot before it says.
  const own = newerThan(table, to).filter(({ summary }) => summary.operation !== 'replace');
  const earlier = own.find(({ summary }) => REINGESTED in summary);
  if (earlier !== undefined) {
    throw new InvalidInput(
      `${fullName(id)} is left as it is: files became new again by the rollback of ${new Date(Number(earlier['timestamp-ms'])).toISOString()}, ` +
        'so that the ledger does not tell which of them the table had before. Go back to a moment after it',
    );
  }
}

/** A content that took the place of another cannot be taken as if it were the first: reprocessing does that. */
function reopening(
  table: FoundTable,
  source: Omit<Reopening, 'files'> | undefined,
  lost: readonly LostFile[],
): Reopening {
  const { id } = table;
  if (source === undefined) {
    throw new InvalidInput(
      `${fullName(id)}: --reingest is for a table that a model of ${id.pipeline} makes from a source; no model makes this one`,
    );
  }
  return { ...source, files: lost.filter(({ corrects }) => !corrects).map(({ key, etag }) => ({ key, etag })) };
}

function dueBy(spec: PipelineSpec, model: ModelSpec): readonly string[] {
  const gold = new Set(spec.models.filter((one) => one.layer === 'gold').map((one) => fullName(tableIdOf(spec, one))));
  return (lineageOf(spec, model.id)?.downstream ?? []).filter((name) => gold.has(name));
}
