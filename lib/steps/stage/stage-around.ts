import { join } from 'node:path';
import { condemnsDuplicates, dedupeColumns } from '../../core/dedupe.ts';
import { EngineError } from '../../core/errors.ts';
import { addByTable, addInputs, NO_INPUTS } from '../../core/input-bytes.ts';
import { addCounts } from '../../core/row-counts.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import { batchOf, type ReadableFile, rejectFile } from '../../lake/batch/batch-files.ts';
import { countFiles, findMiscounted } from '../../lake/batch/count-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import { machineHolds, withPlainSession } from '../../lake/run/floor.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { emptyResult, type UnitResult } from '../../lake/run/unit-result.ts';
import { rejectTables } from '../../sql/batch.ts';
import { tryRelation } from '../../sql/floor.ts';
import { quotePath } from '../../sql/quote.ts';
import { copyNumbered } from '../../sql/raw-rows.ts';
import { halves, type Isolated, isolate, MachineFault } from './isolate.ts';
import { type Attempt, mapFiles, tryFiles, withModelSession } from './map-files.ts';
import { tryJoined } from './try-joined.ts';

/** How often what is left after setting something aside may fail again. */
const MOST_ROUNDS = 10;

/**
 * Stages files at which the engine failed once. In order: a machine that fails at good rows, and statements that fail
 * without any rows, end the run; files of which the engine reads other records than they have are rejected; rows of which
 * an expression raises go to quarantine; what fails for another reason is bisected to files, then to records. What
 * fails only together is staged in halves where that changes nothing for the table, and ends the run elsewhere. All of it
 * works with one thread, which needs the least memory: what then passes failed for want of it, and nothing is to blame.
 */
export async function stageAround(
  context: UnitContext,
  model: SilverModel,
  failed: Attempt & { readonly cause: EngineError },
  given: StepDeps,
): Promise<UnitResult> {
  const deps = { ...given, settings: { ...given.settings, threads: 1 } };
  if (!(await machineHolds(deps))) throw failed.cause;
  await tryStatements(context, model, failed, deps);
  let attempt: Attempt = failed;
  let cause = failed.cause;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    if (attempt.readable.length === 0) return { ...emptyResult(context.unit.unit, model.id), files: attempt.rejected };
    try {
      return await mapFiles(context, model, { ...attempt, guarded: true }, deps);
    } catch (again) {
      if (!(again instanceof EngineError)) throw again;
      cause = again;
    }
    const found = await findCulprits(context, model, attempt, deps).catch((fault: unknown) => {
      throw fault instanceof MachineFault ? cause : fault;
    });
    if (found.broken.size === 0 && found.poisoned.size === 0)
      return stageHalves(context, model, { ...attempt, cause }, deps);
    attempt = setAside(attempt, found);
  }
  throw cause;
}

/** Throws where the model's statements fail without rows, or a table that they read cannot be read, or joined whatever the rows are. */
async function tryStatements(
  context: UnitContext,
  model: SilverModel,
  { source }: Pick<Attempt, 'source'>,
  deps: StepDeps,
): Promise<void> {
  await withModelSession(context, model, deps, async (session) => {
    for (const { layer, name } of model.reads) await session.rows(tryRelation(quotePath(layer, name)));
  });
  await tryFiles(context, model, { source, readable: [], records: new Map() }, deps);
  await tryJoined(context, model, source, deps);
}

async function findCulprits(
  context: UnitContext,
  model: SilverModel,
  { source, readable }: Attempt,
  deps: StepDeps,
): Promise<Isolated> {
  const broken = await findMiscounted(source, readable, (use) => withPlainSession(deps, use));
  if (broken.size > 0) return { broken, poisoned: new Map() };
  // A file that fails when it is counted is found by its trial, which reads it too.
  const counted = await Promise.allSettled(
    readable.map((file) => withPlainSession(deps, (session) => countFiles(session, source, [file]))),
  );
  const records = new Map(counted.flatMap((one) => (one.status === 'fulfilled' ? [...one.value] : [])));
  const trial = (files: readonly ReadableFile[]): Promise<void> =>
    tryFiles(context, model, { source, readable: files, records }, deps);
  await using scratch = await openScratch(deps, `${context.unit.unit}-numbers`);
  return await isolate(readable, records, {
    trial,
    holds: () => machineHolds(deps),
    number: (file) => numberRecords(deps, source, file, join(scratch.folder, `${deps.ids.unique()}.parquet`)),
  });
}

/** The file with a copy of its records; without, where the engine cannot write their values. */
async function numberRecords(
  deps: StepDeps,
  source: SourceSpec,
  file: ReadableFile,
  copy: string,
): Promise<ReadableFile> {
  const { poisoned, ...whole } = file;
  const [group] = batchOf(source, [whole]).groups;
  if (group === undefined) return file;
  try {
    await withPlainSession(deps, (session) => session.run(copyNumbered(source, group, rejectTables('numbers'), copy)));
    return { ...file, copy };
  } catch (cause) {
    if (cause instanceof EngineError) return file;
    throw cause;
  }
}

function setAside(attempt: Attempt, { broken, poisoned }: Isolated): Attempt {
  const rejected = attempt.readable.flatMap((file) => {
    const reason = broken.get(file.path);
    return reason === undefined ? [] : [rejectFile(file.landed, 'UNREADABLE_FILE', reason)];
  });
  const readable = attempt.readable
    .filter((file) => !broken.has(file.path))
    .map((file) => {
      const more = poisoned.get(file.path);
      return more === undefined ? file : { ...file, poisoned: [...(file.poisoned ?? []), ...more] };
    });
  return { ...attempt, readable, rejected: [...attempt.rejected, ...rejected] };
}

/** What each half can do alone. Rows that have to be seen together are not parted. */
async function stageHalves(
  context: UnitContext,
  model: SilverModel,
  attempt: Attempt & { readonly cause: EngineError },
  deps: StepDeps,
): Promise<UnitResult> {
  const together = condemnsDuplicates(model) || (dedupeColumns(model).length > 0 && context.planned.output === 'final');
  if (together || attempt.readable.length < 2 || attempt.source.key.length > 0) {
    const files = attempt.readable.map((file) => file.landed.key).slice(0, 3);
    throw new EngineError(
      `${context.unit.unit}: ${attempt.readable.length} files (${files.join(', ')} ...) fail together though parts of them pass, as with too little memory; ` +
        `nothing is rejected. Give the step more memory, or land smaller files. ${attempt.cause.message}`,
      { cause: attempt.cause },
    );
  }
  const parts: UnitResult[] = [];
  for (const readable of halves(attempt.readable)) {
    parts.push(await stagePart(context, model, { ...attempt, readable, rejected: [] }, deps));
  }
  return parts.reduce(joinResults, { ...emptyResult(context.unit.unit, model.id), files: attempt.rejected });
}

async function stagePart(
  context: UnitContext,
  model: SilverModel,
  attempt: Attempt,
  deps: StepDeps,
): Promise<UnitResult> {
  try {
    return await mapFiles(context, model, { ...attempt, guarded: false }, deps);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return stageAround(context, model, { ...attempt, cause }, deps);
  }
}

function joinResults(a: UnitResult, b: UnitResult): UnitResult {
  const broken: Record<string, number> = { ...a.broken };
  for (const [name, rows] of Object.entries(b.broken)) broken[name] = (broken[name] ?? 0) + rows;
  return {
    ...a,
    counts: addCounts(a.counts, b.counts),
    files: [...a.files, ...b.files],
    broken,
    written: [...a.written, ...b.written],
    exchanged: [...a.exchanged, ...b.exchanged],
    quarantine: [...a.quarantine, ...b.quarantine],
    inputs: addInputs(a.inputs ?? NO_INPUTS, b.inputs ?? NO_INPUTS),
    reads: addByTable([a.reads ?? {}, b.reads ?? {}]),
  };
}
