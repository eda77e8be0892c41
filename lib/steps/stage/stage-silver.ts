import { EngineError } from '../../core/errors.ts';
import { objectName } from '../../core/objects.ts';
import type { FileOutcome, LandedFile } from '../../core/run.ts';
import type { SilverModel } from '../../core/spec.ts';
import { inspectFiles, rejectFile } from '../../lake/batch/batch-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { lendingKept, readKept } from '../../lake/files/keep-files.ts';
import { readLanded } from '../../lake/files/read-landed.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { engineReason } from '../../landing/data-fault.ts';
import { MOST_COLUMNS } from '../../landing/limits.ts';
import { isCut } from '../../plan/stage-units.ts';
import { type Attempt, mapFiles } from './map-files.ts';
import { stageAround } from './stage-around.ts';
import { stageCut } from './stage-cut.ts';

/**
 * Parses a unit's files, splits accepted from rejected rows, applies the model's SQL and writes Parquet. Where the engine
 * fails, what made it fail is found and set aside.
 */
export async function stageSilver(context: UnitContext, model: SilverModel, deps: StepDeps): Promise<UnitResult> {
  const source = context.planned.contract;
  if (source === null) throw new RangeError(`the plan of ${model.id} has no contract`);
  const names = new Set(context.unit.files.map(objectName));
  const gone = new Set((context.planned.left ?? []).map(objectName));
  const refused = [
    ...(context.planned.refused ?? []).filter((one) => names.has(objectName(one))),
    ...tooLarge(context.unit.files, deps.store.room),
  ];
  for (const one of refused) gone.add(objectName(one));
  const planned = context.unit.files.filter((file) => !gone.has(objectName(file)));
  const kept = await readKept(deps.store, context.planned.kept_key);
  const [only] = planned;
  const wide = new Set(context.planned.too_wide ?? []);
  if (only !== undefined && isCut(only) && !wide.has(objectName(only))) {
    const stage: Parameters<typeof stageCut>[3] = (part, attempt, within) =>
      stageReadable(part, model, attempt, within);
    return stageCut(context, model, { file: only, source, kept }, stage, deps);
  }
  const lending = { store: lendingKept(deps.store, kept), log: deps.log };
  const { value, left } = await readLanded(lending, planned, async (present, landed) => {
    await using scratch = await openScratch(deps, context.unit.unit);
    const { folder } = scratch;
    const fitting = present.filter((file) => !wide.has(objectName(file)));
    const { readable, rejected } = await inspectFiles(deps, source, fitting, landed, folder);
    const tooWide = present.filter((file) => wide.has(objectName(file)));
    const all = [...refused, ...rejected, ...tooWide.map((file) => rejectFile(file, 'SCHEMA_ERROR', TOO_WIDE))];
    return await stageReadable(context, model, { source, scratch: folder, readable, rejected: all }, deps);
  });
  return left.length === 0 ? value : { ...value, left };
}

/** Files that nobody cuts, and of which there can be no copy here. */
function tooLarge(files: readonly LandedFile[], room: number | undefined): readonly FileOutcome[] {
  if (room === undefined) return [];
  return files
    .filter((file) => !isCut(file) && file.size > room)
    .map((file) => rejectFile(file, 'FILE_TOO_LARGE', noRoom(file.size, room)));
}

function noRoom(bytes: number, room: number): string {
  return (
    `the file has ${bytes} bytes, and cannot be cut; a worker has room for ${room} on its disk. ` +
    'Land it in parts, or give the step more (compute.steps.Stage.tmp)'
  );
}

const TOO_WIDE = `drift is 'evolve', and its new columns would make more than ${MOST_COLUMNS}; at most so many are read`;

async function stageReadable(
  context: UnitContext,
  model: SilverModel,
  attempt: Attempt,
  deps: StepDeps,
): Promise<UnitResult> {
  if (attempt.readable.length === 0) {
    return { ...emptyResult(context.unit.unit, model.id), files: attempt.rejected };
  }
  try {
    return await mapFiles(context, model, { ...attempt, guarded: false }, deps);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    deps.log.warn('engine_failed', { unit: context.unit.unit, reason: engineReason(cause) });
    return stageAround(context, model, { ...attempt, cause }, deps);
  }
}
