import type { EngineName } from '../../core/implementation.ts';
import type { RunPlan } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { Log, ObjectStore } from '../../ports.ts';
import type { TableEngine } from '../deps.ts';
import { readJson, runFolder } from '../run/run-folder.ts';

/** What a unit writes down of a statement that it has begun. */
export type BegunStatement = { readonly id: string; readonly engine: EngineName };

type Levels = Pick<RunPlan, 'run'> & { readonly spec: Pick<PipelineSpec, 'levels'> };

export type StopDeps = {
  readonly store: ObjectStore;
  readonly log: Log;
  readonly sqlEngine?: (name: EngineName) => Pick<TableEngine, 'cancel'> | undefined;
};

/** An engine that stops none of so many stops no other either. */
const MOST_FAILURES = 3;

/**
 * Stops what engines compute for a run that is undone: nobody waits for it, and it costs. What cannot be stopped ends by itself, and
 * keeps no run from being undone.
 */
export async function stopStatements(deps: StopDeps, plan: Levels): Promise<void> {
  let failures = 0;
  for (const { id, engine } of await runningStatements(deps.store, plan)) {
    if (failures === MOST_FAILURES) return;
    try {
      await deps.sqlEngine?.(engine)?.cancel(id);
    } catch (cause) {
      failures += 1;
      deps.log.warn('a statement could not be stopped', { engine, statement: id, cause: String(cause) });
    }
  }
}

/** Those of which nothing says that the attempt that they are of has ended; comparisons are in the level behind all others. */
async function runningStatements(store: ObjectStore, { run, spec }: Levels): Promise<readonly BegunStatement[]> {
  const running: BegunStatement[] = [];
  for (let level = 0; level <= spec.levels.length; level += 1) {
    const attempts = new Map<string, Map<string, string>>();
    for await (const { key } of store.list(`${runFolder.level(run, level)}/engines/`)) {
      const [, attempt = '', what = ''] = /\/([^/]+\/\d+)-([^/]+)\.json$/.exec(key) ?? [];
      attempts.set(attempt, (attempts.get(attempt) ?? new Map<string, string>()).set(what, key));
    }
    for (const records of attempts.values()) {
      if (records.has('done') || records.has('failed')) continue;
      const statements = [...records].filter(([what]) => /^(list|insert-\d+)$/.test(what));
      for (const [, key] of statements) running.push(await readJson<BegunStatement>(store, key));
    }
  }
  return running;
}
