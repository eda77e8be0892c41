import { EngineError } from '../core/errors.ts';
import { objectName } from '../core/objects.ts';
import type { FileOutcome } from '../core/run.ts';
import type { SilverModel, SourceSpec } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import { createHashMacros } from '../sql/transform.ts';
import { inspectFiles, type ReadableFile, rejectFile } from './batch-files.ts';
import { countFiles, findBroken } from './count-files.ts';
import type { StepDeps } from './deps.ts';
import { mapBatch } from './map-batch.ts';
import { withScratch } from './place-files.ts';
import { readLanded } from './read-landed.ts';
import type { UnitContext } from './stage.ts';
import { openTables } from './table-state.ts';
import { emptyResult, type UnitResult } from './unit-result.ts';

/** A unit's readable files with the number of records of each, ready to be mapped. */
export type CountedBatch = {
  readonly source: SourceSpec;
  readonly files: readonly ReadableFile[];
  /** By local path. */
  readonly records: ReadonlyMap<string, number>;
  readonly scratch: string;
};

/** Parses a unit's files, splits accepted from rejected rows, applies the model's SQL and writes Parquet. */
export async function stageSilver(context: UnitContext, model: SilverModel, deps: StepDeps): Promise<UnitResult> {
  const source = context.planned.contract;
  if (source === null) throw new RangeError(`the plan of ${model.id} has no contract`);
  const gone = new Set((context.planned.left ?? []).map(objectName));
  const planned = context.unit.files.filter((file) => !gone.has(objectName(file)));
  const { value, left } = await readLanded(deps, planned, (present, landed) =>
    withScratch(deps, context.unit.unit, async (scratch) => {
      const inspected = await withPlainSession(deps, (session) =>
        inspectFiles(session, source, present, landed, scratch),
      );
      return stageReadable(context, model, deps, { source, scratch, ...inspected });
    }),
  );
  return left.length === 0 ? value : { ...value, left };
}

type Attempt = {
  readonly source: SourceSpec;
  readonly scratch: string;
  readonly readable: readonly ReadableFile[];
  readonly rejected: readonly FileOutcome[];
};

/**
 * A file that only breaks while its rows are read (a corrupt Parquet page, say), or whose records the engine does not
 * find, is rejected and the rest staged again.
 */
async function stageReadable(
  context: UnitContext,
  model: SilverModel,
  deps: StepDeps,
  attempt: Attempt,
): Promise<UnitResult> {
  const { source, scratch, readable, rejected } = attempt;
  if (readable.length === 0) return { ...emptyResult(context.unit.unit, model.id), files: rejected };
  try {
    return await withModelSession(context, model, deps, async (session) => {
      const records = await countFiles(session, source, readable);
      const mapped = await mapBatch(session, context, model, { source, files: readable, records, scratch }, deps);
      return { ...mapped, files: [...readable.map((file) => ingested(file, records)), ...rejected] };
    });
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    const broken = await withPlainSession(deps, (session) => findBroken(session, source, readable));
    if (broken.size === 0) throw cause;
    const rest = readable.filter((file) => !broken.has(file.path));
    const more = readable.flatMap((file) => {
      const reason = broken.get(file.path);
      return reason === undefined ? [] : [rejectFile(file.landed, 'UNREADABLE_FILE', reason)];
    });
    return stageReadable(context, model, deps, { ...attempt, readable: rest, rejected: [...rejected, ...more] });
  }
}

function ingested(file: ReadableFile, records: ReadonlyMap<string, number>): FileOutcome {
  return { ...file.landed, status: 'ingested', records: records.get(file.path) ?? 0, code: null, reason: null };
}

async function withPlainSession<T>(deps: StepDeps, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await deps.engine.open(deps.settings);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** A session in which the tables that the model joins, and the partition functions, exist. */
async function withModelSession<T>(
  context: UnitContext,
  model: SilverModel,
  deps: StepDeps,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  return withPlainSession(deps, async (session) => {
    const tables = await openTables(deps.store, session, context.plan, model.reads);
    try {
      if (context.planned.shape.partitionBy.some((f) => f.transform.kind === 'bucket'))
        await session.run(createHashMacros());
      return await use(session);
    } finally {
      await tables.release();
    }
  });
}
