import { ObjectNotFound } from '../../core/errors.ts';
import type { HeldRun, RunRef } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { swapJson } from './run-folder.ts';

/** What the run pointer says, and the object that says it. */
export type OpenRun = {
  /** The run that is under way, or that died or failed while it published. */
  readonly run: RunRef | undefined;
  /** Of the lock under which this was written; 0 when there has been none. */
  readonly epoch: number;
  /** Undefined when there is no object. */
  readonly etag: string | undefined;
};

/** Where the run that is under way is named, so that another can find it without listing all runs. */
function openRunKey({ pipeline, kind }: Pick<RunRef, 'pipeline' | 'kind'>): string {
  return `ops/${pipeline}/${kind === 'maintenance' ? 'open-maintenance' : 'open-run'}.json`;
}

/** The run pointer of a pipeline, or of its maintenance. */
export async function readOpenRun(store: ObjectStore, of: Pick<RunRef, 'pipeline' | 'kind'>): Promise<OpenRun> {
  try {
    const { bytes, etag } = await store.read(openRunKey(of));
    const { epoch = 0, ...run } = JSON.parse(new TextDecoder().decode(bytes)) as HeldRun | { readonly epoch: number };
    return { run: 'run_id' in run ? run : undefined, epoch, etag };
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    return { run: undefined, epoch: 0, etag: undefined };
  }
}

/** Points to a run, unless the pointer is no longer as it was `seen`: false then, and nothing has changed. */
export async function pointTo(store: ObjectStore, seen: OpenRun, run: HeldRun): Promise<boolean> {
  const { pipeline, run_id, dry_run, kind, epoch } = run;
  const named = { pipeline, run_id, dry_run, ...(kind === undefined ? {} : { kind }), epoch };
  return swapJson(store, openRunKey(run), seen.etag, named);
}

/**
 * Says that no run is under way, if the pointer is this run's under this lock. It is never removed, so that whoever
 * was overtaken, whenever it wakes, cannot take away what a later run has written there.
 */
export async function clearOpenRun(store: ObjectStore, run: HeldRun): Promise<void> {
  const { run_id, epoch } = run;
  const seen = await readOpenRun(store, run);
  if (seen.run?.run_id !== run_id || (epoch !== undefined && seen.epoch !== epoch)) return;
  await swapJson(store, openRunKey(run), seen.etag, { epoch: seen.epoch });
}
