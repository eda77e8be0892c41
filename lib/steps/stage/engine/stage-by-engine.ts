import { EngineError, InvalidInput } from '../../../core/errors.ts';
import type { EngineName } from '../../../core/implementation.ts';
import { holdsPersonal } from '../../../core/personal.ts';
import { NO_ROWS } from '../../../core/row-counts.ts';
import type { RunRef } from '../../../core/run.ts';
import { type GoldModel, modelId } from '../../../core/spec.ts';
import type { StepDeps, TableEngine } from '../../../lake/deps.ts';
import { adoptFiles } from '../../../lake/engines/adopt.ts';
import {
  engineRun,
  inputTable,
  namesOf,
  namesOfAttempt,
  namesOfRun,
  placeMetadata,
  stagedPrefix,
  stagingTable,
  tokenOf,
  uuidOf,
} from '../../../lake/engines/staging.ts';
import { readDecision } from '../../../lake/run/decision.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../../lake/run/run-folder.ts';
import type { UnitContext } from '../../../lake/run/unit-context.ts';
import { emptyResult, type Placed, type UnitResult } from '../../../lake/run/unit-result.ts';
import { loadTarget } from '../../../lake/tables/target.ts';
import { shareOut, without } from '../../../plan/engine-units.ts';
import { insertRows } from '../../../sql/engines/insert.ts';
import { pinReads } from '../../../sql/engines/pinned-text.ts';
import { pathIn } from '../../../sql/quote.ts';
import { listedPartitions, needsList } from './list-partitions.ts';
import { type Attempt, AttemptFailed, execute, type Work } from './statements.ts';

/** How often a unit is tried whose engine fails without saying that it would fail again. */
const MOST_ATTEMPTS = 3;

/**
 * Has an engine compute a unit of a gold model. It writes files into a table of its own, which no reader knows; they are the model's
 * once they were looked at. What an earlier call has begun is gone on with, so that a statement may take longer than a call.
 */
export async function stageByEngine(
  context: UnitContext,
  model: GoldModel,
  name: EngineName,
  deps: StepDeps,
): Promise<UnitResult> {
  const engine = engineFor(model, name, deps);
  const run = engineRun(context.plan, deps.store);
  const personal = holdsPersonal(context.plan.spec);
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
    const failed = runFolder.engineRecord(run, context.level, context.unit.unit, `${attempt}-failed`);
    const reason = await readJsonIfAny<{ readonly reason: string }>(deps.store, failed);
    if (reason !== undefined && attempt < MOST_ATTEMPTS) continue;
    if (reason !== undefined)
      throw new EngineError(`${reason.reason}; ${MOST_ATTEMPTS} times. Nothing is published: run again later`);
    try {
      return await tryUnit(
        context,
        model,
        { run, level: context.level, unit: context.unit, attempt, model: model.id, engine, engineName: name, personal },
        deps,
      );
    } catch (cause) {
      if (!(cause instanceof AttemptFailed) || (await isUndone(deps.store, run))) throw cause;
      await writeOnce(deps.store, failed, { reason: cause.message });
      deps.log.warn('an engine failed', { model: model.id, unit: context.unit.unit, attempt, reason: cause.message });
      await engine.hide(await engine.names(namesOfAttempt(run, model, context.unit, attempt)));
    }
  }
  return stageByEngine(context, model, name, deps);
}

const EXPECTED: Readonly<Record<EngineName, string>> = {
  athena: 'STRATA_TRINO to name a Trino that speaks for it on this machine, or a deployment',
  spark:
    'STRATA_SPARK to name a Python that has PySpark on this machine, or a deployment whose pipeline has an application of EMR Serverless',
};

/** Then the statement has been stopped, and nobody waits for another. */
async function isUndone(store: StepDeps['store'], run: RunRef): Promise<boolean> {
  return (await readDecision(store, run))?.undo !== undefined || (await store.head(runFolder.plan(run))) === undefined;
}

function engineFor(model: GoldModel, name: EngineName, deps: StepDeps): TableEngine {
  const engine = deps.sqlEngine?.(name);
  if (engine !== undefined) return engine;
  throw new InvalidInput(
    `${model.id} is computed by ${name}, and there is none here: got no engine of that name; expected ` +
      EXPECTED[name] +
      '. Nothing was begun; strata switch, or use in the definition, goes back to the DuckDB text',
  );
}

type Finished = { readonly metadata_location: string; readonly uuid: string; readonly statements: number };

async function tryUnit(context: UnitContext, model: GoldModel, attempt: Attempt, deps: StepDeps): Promise<UnitResult> {
  const { plan, planned, unit, level } = context;
  const { store } = deps;
  const target = await loadTarget(store, plan, planned.shape);
  const folder = `${stagedPrefix(target.table, plan)}${unit.unit}-${attempt.attempt}/`;
  const key = runFolder.engineRecord(plan.run, level, unit.unit, `${attempt.attempt}-done`);
  const names = namesOfAttempt(attempt.run, model, unit, attempt.attempt);
  const before = await readJsonIfAny<Finished>(store, key);
  const finished =
    before ?? (await writeOnce(store, key, await write(context, model, { ...attempt, target, folder, names }, deps)));
  await attempt.engine.hide(await attempt.engine.names(names));
  const written = await adoptFiles(store, {
    who: `${model.id}, computed by ${attempt.engine.title}`,
    metadataLocation: finished.metadata_location,
    location: locationOf(store, folder),
    uuid: finished.uuid,
    target,
    statements: finished.statements,
    partitions: unit.partitions,
    ...(unit.except && { except: unit.except }),
  });
  return { ...emptyResult(unit.unit, model.id), counts: { ...NO_ROWS, accepted: rowsOf(written) }, written };
}

function rowsOf(placed: readonly Placed[]): number {
  return placed.reduce((sum, { written }) => sum + written.rows, 0);
}

function locationOf(store: StepDeps['store'], folder: string): string {
  return store.location(folder.slice(0, -1));
}

/** Shows the engine what it reads and where it writes, and has it write. Throws InvalidInput for what it refuses, and leaves nothing known to it then. */
async function write(context: UnitContext, model: GoldModel, work: Work, deps: StepDeps): Promise<Finished> {
  const { engine, names } = work;
  try {
    return await writeShown(context, model, work, deps);
  } catch (cause) {
    if (cause instanceof InvalidInput) await engine.hide(await engine.names(names));
    throw cause;
  }
}

async function writeShown(context: UnitContext, model: GoldModel, work: Work, deps: StepDeps): Promise<Finished> {
  const { plan, unit, planned } = context;
  const { run, engine, folder, names, target, attempt } = work;
  await hideOthers(context, model, work);
  const tables = [];
  for (const [at, ref] of model.reads.entries()) {
    const made = { folder: `${folder}in-${at}/`, name: `${names}in_${at}`, nowMs: deps.clock.now().getTime() };
    const input = await inputTable(deps.store, plan, ref, made);
    await engine.show(input);
    const snapshot = input.metadata['current-snapshot-id'] ?? null;
    tables.push({ id: modelId(ref), place: [...engine.place, input.name], snapshot });
  }
  const text = pinReads(model.sql, tables, engine.dialect);
  const metadata = stagingTable(target, locationOf(deps.store, folder), uuidOf(names));
  const staging = await placeMetadata(deps.store, folder, `${names}out`, metadata);
  await engine.show(staging);
  const rows = {
    dialect: engine.dialect,
    into: pathIn(engine.dialect, [...engine.place, staging.name]),
    text,
    columns: planned.columns,
    partitionBy: model.partitionBy,
  };
  const listed = needsList(engine.dialect, model, unit.partitions)
    ? without(await listedPartitions(work, rows, deps), unit.except ?? [])
    : unit.partitions;
  const shares = listed === null ? [null] : shareOut(listed);
  for (const [nth, partitions] of shares.entries()) {
    const name = `insert-${nth}`;
    const sql = insertRows({ ...rows, partitions });
    await execute(deps, work, { name, sql, token: tokenOf(run, unit, attempt, name) });
  }
  const metadata_location = await engine.shown(staging.name);
  if (metadata_location === undefined)
    throw new AttemptFailed(`${model.id}: ${engine.title} no longer knows ${staging.name}, into which it wrote`);
  return { metadata_location, uuid: metadata['table-uuid'], statements: shares.length };
}

/** What runs that were killed have left known to the engine: one run of a pipeline is at work at a time. */
async function hideOthers({ unit }: UnitContext, model: GoldModel, { engine, run }: Work): Promise<void> {
  if (unit.ordinal > 0) return;
  const known = await engine.names(namesOf(run, model));
  const own = namesOfRun(run, model);
  await engine.hide(known.filter((name) => !name.startsWith(own)));
}
