import { createHash } from 'node:crypto';
import { InvalidInput } from '../../core/errors.ts';
import { requireReadable, WRITTEN_BY } from '../../core/plan-format.ts';
import { addSpent, NOTHING_SPENT } from '../../core/requests.ts';
import type { LevelPlan, RunPlan, RunRef } from '../../core/run.ts';
import type { RunDate } from '../../core/run-date.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { RECORDING } from './measure.ts';

/**
 * The objects of a run, below `ops/<pipeline>/_runs/<run_id>/`, or `_dry_runs`, so that a dry run uses up no run_id. Plans and unit results are written once: whoever comes
 * second, be it a retry or a resumed run, finds the first one's and goes on from there.
 */
export const runFolder = {
  root: (run: RunRef): string => `ops/${run.pipeline}/${folderOf(run)}/${run.run_id}`,
  plan: (run: RunRef): string => `${runFolder.root(run)}/plan.json`,
  result: (run: RunRef): string => `${runFolder.root(run)}/result.json`,
  committing: (run: RunRef): string => `${runFolder.root(run)}/committing.json`,
  /** What Open looked for new files by, to be settled when the run has published. */
  discovery: (run: RunRef): string => `${runFolder.root(run)}/discovery.json`,
  files: (run: RunRef, source: string): string => `${runFolder.root(run)}/files/${encodeURIComponent(source)}.json`,
  /** The same for one model, where the tables of a source take different files. */
  ownFiles: (run: RunRef, model: string): string =>
    `${runFolder.root(run)}/own-files/${encodeURIComponent(model)}.json`,
  /** Seeds of a dry run, which lands nothing. */
  seed: (run: RunRef, name: string): string => `${runFolder.root(run)}/seeds/${name}`,
  kept: (run: RunRef, source: string): string => `${runFolder.root(run)}/kept/${encodeURIComponent(source)}.json`,
  copies: (run: RunRef, source: string): string => `${runFolder.root(run)}/kept/${encodeURIComponent(source)}`,
  level: (run: RunRef, level: number): string => `${runFolder.root(run)}/level-${level}`,
  levelPlan: (run: RunRef, level: number): string => `${runFolder.level(run, level)}/plan.json`,
  stageUnits: (run: RunRef, level: number): string => `${runFolder.level(run, level)}/stage-units.json`,
  mergeUnits: (run: RunRef, level: number): string => `${runFolder.level(run, level)}/merge-units.json`,
  unit: (run: RunRef, level: number, unit: string): string => `${runFolder.level(run, level)}/units/${unit}.json`,
  unitResult: (run: RunRef, level: number, unit: string): string =>
    `${runFolder.level(run, level)}/results/${unit}.json`,
  attempts: (run: RunRef, level: number): string => `${runFolder.level(run, level)}/attempts/`,
  attempt: (run: RunRef, level: number, unit: string, attempt: number): string =>
    `${runFolder.attempts(run, level)}${unit}-${attempt}`,
  /** What was begun on an engine for a unit, and what became of it. */
  engineRecord: (run: RunRef, level: number, unit: string, name: string): string =>
    `${runFolder.level(run, level)}/engines/${unit}/${name}.json`,
  exchange: (run: RunRef, level: number, unit: string): string => `${runFolder.level(run, level)}/exchange/${unit}`,
  audit: (run: RunRef, level: number): string => `${runFolder.level(run, level)}/audit.json`,
  /** Rejected rows and accounts of sources that several tables read. */
  settled: (run: RunRef): string => `${runFolder.root(run)}/settled.json`,
  table: (run: RunRef, model: string): string => `${runFolder.root(run)}/tables/${model}.json`,
  commit: (run: RunRef): string => `${runFolder.root(run)}/commit.json`,
} as const;

function folderOf({ kind, dry_run }: RunRef): string {
  if (kind === 'maintenance') return '_compactions';
  return dry_run ? '_dry_runs' : '_runs';
}

export const LONGEST_RUN_ID = 80;

/** Throws InvalidInput for a run_id that is no safe name for files and executions. */
export function checkRunId(runId: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(runId) && runId.length <= LONGEST_RUN_ID) return runId;
  throw new InvalidInput(
    `not a run id: got ${JSON.stringify(runId)}; expected 1 to ${LONGEST_RUN_ID} letters, digits, '-' or '_'`,
  );
}

export async function readJson<T>(store: ObjectStore, key: string): Promise<T> {
  const { bytes } = await store.read(key);
  // The run folder holds what this code wrote; a damaged object fails loudly in JSON.parse.
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

export async function readJsonIfAny<T>(store: ObjectStore, key: string): Promise<T | undefined> {
  return (await store.head(key)) === undefined ? undefined : readJson<T>(store, key);
}

/** Writes the value unless there is one, and returns the one that is there. */
export async function writeOnce<T>(store: ObjectStore, key: string, value: T): Promise<T> {
  const outcome = await store.write(key, encodeJson(value), { kind: 'absent' });
  return outcome.kind === 'written' ? value : readJson<T>(store, key);
}

/** Puts a value in the place of the object that was read with this etag, or of none; false when it is no longer so. */
export async function swapJson(
  store: ObjectStore,
  key: string,
  etag: string | undefined,
  value: unknown,
): Promise<boolean> {
  const condition = etag === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'match', etag } as const);
  return (await store.write(key, encodeJson(value), condition)).kind === 'written';
}

export async function writeJson(store: ObjectStore, key: string, value: unknown): Promise<void> {
  await store.write(key, encodeJson(value), { kind: 'any' });
}

/**
 * Compiled pipelines, `<month>-<hash>.json`: no plan of another month refers to one, so that those of months whose plans are gone
 * can go as well. Earlier releases had one for all months.
 */
export function specFolder(pipeline: string): string {
  return `ops/${pipeline}/_specs/`;
}

/** A plan as it is written: all runs of a month with one compiled pipeline share the object that holds it, each with its own date. */
type WrittenPlan = Omit<RunPlan, 'spec'> & { readonly spec_key: string; readonly run_at?: RunDate };

/**
 * Writes the plan of a run unless there is one, and returns the one that is there. What the call has asked for until then
 * is noted in it.
 */
export async function writePlan({ store, spent }: Pick<StepDeps, 'store' | 'spent'>, plan: RunPlan): Promise<RunPlan> {
  const noted = <Plan extends object>(planned: Plan): Plan => {
    const written = { ...planned, ...WRITTEN_BY };
    if (spent === undefined) return written;
    return { ...written, planning_spent: addSpent(spent(), { ...NOTHING_SPENT, ...RECORDING }) };
  };
  // Nothing of a dry run may stay, so it shares nothing.
  if (plan.run.dry_run) {
    const own = noted(plan);
    const found = await writeOnce(store, runFolder.plan(plan.run), own);
    return found === own ? plan : requireReadable(found, plan.run);
  }
  const {
    spec: { runAt, ...spec },
    ...rest
  } = plan;
  const bytes = encodeJson(spec);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const spec_key = `${specFolder(plan.run.pipeline)}${plan.created_at.slice(0, 'YYYY-MM'.length)}-${hash}.json`;
  await store.write(spec_key, bytes, { kind: 'absent' });
  const written: WrittenPlan = noted({ ...rest, ...(runAt && { run_at: runAt }), spec_key });
  const found = await writeOnce<WrittenPlan | RunPlan>(store, runFolder.plan(plan.run), written);
  return found === written ? plan : withSpec(store, requireReadable(found, plan.run));
}

/** Throws InvalidInput for a plan of a format that this release does not read. */
export async function readPlan(store: ObjectStore, run: RunRef): Promise<RunPlan> {
  return withSpec(store, requireReadable(await readJson<WrittenPlan | RunPlan>(store, runFolder.plan(run)), run));
}

export async function readPlanIfAny(store: ObjectStore, run: RunRef): Promise<RunPlan | undefined> {
  const found = await readJsonIfAny<WrittenPlan | RunPlan>(store, runFolder.plan(run));
  return found === undefined ? undefined : withSpec(store, requireReadable(found, run));
}

/** The object that has the compiled pipeline of a plan; undefined where the plan has it itself, or is gone. */
export async function specKeyOf(store: ObjectStore, run: RunRef): Promise<string | undefined> {
  const found = await readJsonIfAny<WrittenPlan | RunPlan>(store, runFolder.plan(run));
  return found !== undefined && 'spec_key' in found ? found.spec_key : undefined;
}

/** Dry runs, and earlier releases, have the compiled pipeline in the plan itself. */
async function withSpec(store: ObjectStore, plan: WrittenPlan | RunPlan): Promise<RunPlan> {
  if (!('spec_key' in plan)) return plan;
  const { spec_key, run_at, ...rest } = plan;
  return { ...rest, spec: { ...(await readJson<PipelineSpec>(store, spec_key)), ...(run_at && { runAt: run_at }) } };
}

export function readLevelPlan(store: ObjectStore, run: RunRef, level: number): Promise<LevelPlan> {
  return readJson<LevelPlan>(store, runFolder.levelPlan(run, level));
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
