import { InvalidInput } from '../core/errors.ts';
import { isKeyed, LOG_SUFFIX, logTable } from '../core/keyed.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { fullName, type TableId } from '../core/tables.ts';
import type { LockDeps, StepDeps } from '../lake/deps.ts';
import { fenced } from '../lake/run/fence.ts';
import { keepLock } from '../lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../lake/run/lock.ts';
import { type Dropped, describeDrop, dropTables, type Found, findDroppable } from '../lake/tables/drop-tables.ts';
import { modelTables, tableIdOf } from '../lake/tables/table-state.ts';
import { findTable, tableIdIfAny } from '../query/find-table.ts';
import { unfinishedRun } from '../query/plan-run.ts';

/** What a drop needs of a lake, here or deployed. */
export type DropDeps = LockDeps & Pick<StepDeps, 'catalog' | 'ids' | 'log' | 'specs' | 'wait'>;

export type DropRequest = {
  /** By full name. */
  readonly table: string;
  /** Its files go too. */
  readonly data?: boolean;
  /** Also a table that a model of the pipeline makes. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
};

export type DropAnswer = {
  readonly pipeline: string;
  readonly dry_run: boolean;
  /** The table that was asked for and, of a keyed one, its log. */
  readonly tables: readonly Dropped[];
};

/**
 * Drops a table, a keyed one together with its log. Throws InvalidInput for one that the pipeline makes, unless it is
 * forced, for the books of a pipeline, for an unknown name, and while a run is unfinished; LockHeld while one works.
 */
export async function dropTable(deps: DropDeps, { table, ...request }: DropRequest): Promise<DropAnswer> {
  const { data = false, force = false, dryRun = false } = request;
  const id = await resolve(deps, table);
  const spec = force ? undefined : await specOf(deps, id);
  await checkAsked(deps, id, spec);
  const { pipeline } = id;
  if (dryRun) {
    const tables = (await findAll(deps, id)).map((found) => describeDrop(found, data ? found.files.length : 0));
    return { pipeline, dry_run: true, tables };
  }
  const runId = `drop-${deps.ids.unique()}`;
  const tables = await keepLock(deps, { pipeline, run_id: runId, epoch: () => undefined }, async () => {
    const run = { pipeline, run_id: runId, dry_run: false, epoch: await takeLock(deps, { pipeline, run_id: runId }) };
    try {
      await checkFinished(deps, id);
      return await dropTables(fenced(deps, run), await findAll(deps, id), { data });
    } finally {
      await releaseLock(deps, run);
    }
  });
  return { pipeline, dry_run: false, tables };
}

/** A table of the catalog, or one of which files are left. */
async function resolve(deps: DropDeps, table: string): Promise<TableId> {
  const id = tableIdIfAny(table);
  if (id?.layer === 'ops') {
    throw new InvalidInput(
      `${table} is not dropped: got a table of the books of ${id.pipeline}, by which its runs know what they have taken; ` +
        'expected a table of silver or gold',
    );
  }
  const left = id !== undefined && (await findAll(deps, id)).length > 0;
  return left ? id : (await findTable(deps.catalog, table)).id;
}

async function findAll(deps: DropDeps, id: TableId): Promise<readonly Found[]> {
  const ids = id.layer === 'silver' && !id.name.endsWith(LOG_SUFFIX) ? [id, logTable(id)] : [id];
  const found: Found[] = [];
  for (const one of ids) {
    const table = await findDroppable(deps, one);
    if (table !== undefined) found.push(table);
  }
  return found;
}

async function specOf(deps: DropDeps, id: TableId): Promise<PipelineSpec> {
  try {
    return await deps.specs(id.pipeline);
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    throw new InvalidInput(
      `${fullName(id)}: whether a model makes it cannot be told; --force drops it all the same. ${cause.message}`,
      [],
      { cause },
    );
  }
}

async function checkAsked(deps: DropDeps, id: TableId, spec: PipelineSpec | undefined): Promise<void> {
  const name = fullName(id);
  if (id.name.endsWith(LOG_SUFFIX)) await checkLog(deps, id, spec);
  if (spec === undefined || ![...modelTables(spec).values()].some((made) => fullName(made) === name)) return;
  const anew = id.layer === 'silver' ? `; to make it anew: strata backfill ${id.pipeline} --select ${id.name}` : '';
  throw new InvalidInput(
    `${name} is not dropped: got a table that model ${id.layer}.${id.name} of ${id.pipeline} makes; expected one that no model ` +
      `makes. Remove the model first${anew}. With --force it is dropped, and the next run makes it anew`,
  );
}

/** A keyed table without its log would lose what its next events do not say. */
async function checkLog(deps: DropDeps, id: TableId, spec: PipelineSpec | undefined): Promise<void> {
  const table = { ...id, name: id.name.slice(0, -LOG_SUFFIX.length) };
  const model = spec?.models.find((one) => fullName(tableIdOf(spec, one)) === fullName(table));
  if (model !== undefined && !isKeyed(model)) return;
  if ((await findDroppable(deps, table))?.state === 'there' || model !== undefined) {
    throw new InvalidInput(
      `${fullName(id)} is not dropped: got the log of a keyed table; expected the table itself, ${fullName(table)}, with ` +
        'which its log goes',
    );
  }
}

async function checkFinished(deps: DropDeps, id: TableId): Promise<void> {
  const run = await unfinishedRun(deps, id.pipeline);
  if (run === null) return;
  throw new InvalidInput(
    `${fullName(id)} is not dropped: run ${run} of ${id.pipeline} is unfinished, and goes on with its tables as they were; ` +
      `finish it first: strata run ${id.pipeline}`,
  );
}
