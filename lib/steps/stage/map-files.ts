import { addInputs, NO_INPUTS } from '../../core/input-bytes.ts';
import type { FileOutcome } from '../../core/run.ts';
import type { SilverModel, SourceSpec } from '../../core/spec.ts';
import type { EarlierRejections, ReadableFile } from '../../lake/batch/batch-files.ts';
import { countFiles } from '../../lake/batch/count-files.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { openScratch } from '../../lake/files/scratch.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import type { UnitResult } from '../../lake/run/unit-result.ts';
import { type OpenedTables, openTables } from '../../lake/tables/open-tables.ts';
import type { Session } from '../../ports.ts';
import { createHashMacros } from '../../sql/transform.ts';
import { mapBatch } from './map-batch.ts';

/** What is left of a unit's files, and what became of the others. */
export type Attempt = {
  readonly source: SourceSpec;
  readonly scratch: string;
  readonly readable: readonly ReadableFile[];
  readonly rejected: readonly FileOutcome[];
  readonly rejections?: EarlierRejections;
};

/** Takes files through the model. `guarded`: rows of which an expression raises are set aside. Throws EngineError. */
export async function mapFiles(
  context: UnitContext,
  model: SilverModel,
  { source, scratch, readable, rejected, rejections, guarded }: Attempt & { readonly guarded: boolean },
  deps: StepDeps,
): Promise<UnitResult> {
  return withModelSession(context, model, guarded ? withGuard(deps) : deps, async (session, { bytes, reads }) => {
    const records = await countFiles(session, source, readable);
    const carried = rejections === undefined ? {} : { rejections };
    const batch = { source, files: readable, records, scratch, guarded, trial: false, ...carried };
    const mapped = await mapBatch(session, context, model, batch, deps);
    const inputs = addInputs(mapped.inputs ?? NO_INPUTS, bytes);
    return { ...mapped, inputs, reads, files: [...readable.map((file) => ingested(file, records)), ...rejected] };
  });
}

/** The same with nothing published and nothing answered, for any part of the files. */
export async function tryFiles(
  context: UnitContext,
  model: SilverModel,
  {
    source,
    readable,
    records,
  }: Pick<Attempt, 'source' | 'readable'> & { readonly records: ReadonlyMap<string, number> },
  deps: StepDeps,
): Promise<void> {
  const store = { ...deps.store, publish: unpublished };
  await using scratch = await openScratch(deps, `${context.unit.unit}-trial`);
  await withModelSession(context, model, withGuard(deps), async (session) => {
    const batch = { source, files: readable, records, scratch: scratch.folder, guarded: true, trial: true };
    await mapBatch(session, context, model, batch, { ...deps, store });
  });
}

const unpublished: StepDeps['store']['publish'] = async (_, key) => ({ key, size: 0, etag: '', modified: 0 });

function ingested(file: ReadableFile, records: ReadonlyMap<string, number>): FileOutcome {
  return { ...file.landed, status: 'ingested', records: records.get(file.path) ?? 0, code: null, reason: null };
}

/** Sessions that take expressions out of no TRY. */
function withGuard(deps: StepDeps): StepDeps {
  return { ...deps, engine: { open: (options) => deps.engine.open({ ...options, guarded: true }) } };
}

/** A session in which the tables that the model joins, and the partition functions, exist. */
export async function withModelSession<T>(
  context: UnitContext,
  model: SilverModel,
  deps: StepDeps,
  use: (session: Session, tables: Pick<OpenedTables, 'bytes' | 'reads'>) => Promise<T>,
): Promise<T> {
  await using session = await deps.engine.open(deps.settings);
  await using tables = await openTables(deps.store, session, context.plan, { refs: model.reads });
  if (context.planned.shape.partitionBy.some((f) => f.transform.kind === 'bucket'))
    await session.run(createHashMacros());
  return await use(session, tables);
}
