import { dedupeColumns } from '../../core/dedupe.ts';
import { EngineError } from '../../core/errors.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { FileOutcome, LandedFile } from '../../core/run.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { StepDeps } from '../../lake/deps.ts';
import {
  type Alone,
  aloneMark,
  findSuspects,
  forgiveFile,
  MOST_DEATHS,
  underMark,
  underMarkOrFail,
} from '../../lake/run/deaths.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, joinResults, type UnitResult } from '../../lake/run/unit-result.ts';

/** Stages the files of a context's unit. */
type StageFiles = (context: UnitContext, deps: StepDeps) => Promise<UnitResult>;

/**
 * Stages a unit though workers die of it. All its files are tried together; after three deaths, or where a file is
 * suspected from an earlier run, each is tried alone. One that three workers died of while they were alone with it is
 * suspended: it counts in nothing, and the others go on.
 */
export async function stageSurviving(
  context: UnitContext,
  model: SilverModel,
  stage: StageFiles,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, level, unit } = context;
  const suspects = await findSuspects(deps, { pipeline: plan.run.pipeline, model: model.id }, unit.files);
  if (suspects.length === 0) {
    const marks = (attempt: number): string => runFolder.attempt(plan.run, level, unit.unit, attempt);
    const whole = await underMark(deps, marks, () => stage(context, deps));
    if (whole !== undefined) return whole;
  }
  return unit.files.length === 1 || mayPart(context, model)
    ? stageOneByOne(context, suspects, stage, deps)
    : stageTested(context, suspects, stage, deps);
}

/** Whether a table gets the same rows from files that are staged apart; where rows are told apart they meet in a batch. */
function mayPart(context: UnitContext, model: SilverModel): boolean {
  const keyless = (context.planned.contract?.key ?? []).length === 0;
  return keyless && (isKeyed(model) || dedupeColumns(model).length === 0);
}

/** Suspected files each alone, the others together; where none is suspected, any may be the one: each alone. What is done is recorded file by file. */
async function stageOneByOne(
  context: UnitContext,
  suspects: readonly LandedFile[],
  stage: StageFiles,
  deps: StepDeps,
): Promise<UnitResult> {
  const { unit } = context;
  const apart = suspects.length === 0 ? unit.files : suspects;
  const rest = unit.files.filter((file) => !apart.includes(file));
  const parts: UnitResult[] = [];
  if (rest.length > 0) parts.push(await stageRest(context, rest, stage, deps));
  for (const [i, file] of unit.files.entries()) {
    if (apart.includes(file)) parts.push(await stageAlone(context, i, stage, deps));
  }
  return joinResults(emptyResult(unit.unit, unit.model), parts);
}

async function stageAlone(context: UnitContext, at: number, stage: StageFiles, deps: StepDeps): Promise<UnitResult> {
  const { plan, level, unit } = context;
  const file = fileAt(context, at);
  const key = runFolder.unitResult(plan.run, level, `${unit.unit}.file-${at}`);
  const before = await readJsonIfAny<UnitResult>(deps.store, key);
  if (before !== undefined) return before;
  const alone = aloneWith(context, file);
  const marks = (attempt: number): string => aloneMark(alone, attempt);
  const staged = await underMark(deps, marks, () => stage(only(context, [file]), deps));
  const result = staged ?? withSuspended(context, emptyResult(unit.unit, unit.model), [file]);
  const written = await writeOnce(deps.store, key, result);
  if (staged !== undefined) await forgiveFile(deps, alone);
  return written;
}

/** Where files have to be staged together, each is tried alone first, for nothing; then those that passed are staged. */
async function stageTested(
  context: UnitContext,
  suspects: readonly LandedFile[],
  stage: StageFiles,
  deps: StepDeps,
): Promise<UnitResult> {
  const { unit } = context;
  const tested = suspects.length === 0 ? unit.files : suspects;
  const suspended: LandedFile[] = [];
  for (const [i, file] of unit.files.entries()) {
    if (tested.includes(file) && !(await passes(context, i, stage, deps))) suspended.push(file);
  }
  const rest = unit.files.filter((file) => !suspended.includes(file));
  const staged = rest.length === 0 ? emptyResult(unit.unit, unit.model) : await stageRest(context, rest, stage, deps);
  return withSuspended(context, staged, suspended);
}

async function passes(context: UnitContext, at: number, stage: StageFiles, deps: StepDeps): Promise<boolean> {
  const { plan, level, unit } = context;
  const file = fileAt(context, at);
  const passed = runFolder.attempt(plan.run, level, `${unit.unit}.passed`, at);
  if ((await deps.store.head(passed)) !== undefined) return true;
  const unpublished: StepDeps['store']['publish'] = async (_, key) => ({ key, size: 0, etag: '', modified: 0 });
  const trial = { ...deps, store: { ...deps.store, publish: unpublished } };
  const alone = aloneWith(context, file);
  const marks = (attempt: number): string => aloneMark(alone, attempt);
  const answer = await underMark(deps, marks, () => stage(only(context, [file]), trial));
  if (answer === undefined) return false;
  await deps.store.write(passed, new Uint8Array(), { kind: 'any' });
  await forgiveFile(deps, alone);
  return true;
}

function stageRest(
  context: UnitContext,
  files: readonly LandedFile[],
  stage: StageFiles,
  deps: StepDeps,
): Promise<UnitResult> {
  const { plan, level, unit } = context;
  const marks = (attempt: number): string => runFolder.attempt(plan.run, level, `${unit.unit}.rest`, attempt);
  const what = `${unit.unit}, ${files.length} files that pass one by one`;
  return underMarkOrFail(deps, what, marks, () => stage(only(context, files), deps));
}

function fileAt({ unit }: UnitContext, at: number): LandedFile {
  const file = unit.files[at];
  if (file === undefined) throw new RangeError(`${unit.unit} has no file ${at}`);
  return file;
}

function only(context: UnitContext, files: readonly LandedFile[]): UnitContext {
  return { ...context, unit: { ...context.unit, files } };
}

function aloneWith({ plan, unit }: UnitContext, file: LandedFile): Alone {
  return { pipeline: plan.run.pipeline, model: unit.model, file };
}

function withSuspended(context: UnitContext, result: UnitResult, files: readonly LandedFile[]): UnitResult {
  return { ...result, files: [...result.files, ...files.map((file) => suspend(context, file))] };
}

/** Throws EngineError for a file that is being reprocessed: what it contributed would be withdrawn, and not come again. */
function suspend({ plan }: UnitContext, file: LandedFile): FileOutcome {
  const reason = `${MOST_DEATHS} workers have ended without an answer while they read this file alone, as with too little memory`;
  if (plan.withdraw.includes(file.key)) {
    throw new EngineError(`${file.key}: ${reason}; what it contributed earlier stays, and nothing is published`);
  }
  return { ...file, status: 'suspended', records: 0, code: 'WORKER_KILLED', reason };
}
