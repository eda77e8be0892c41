import { InvalidInput } from '../../core/errors.ts';
import { ENGINES } from '../../core/implementation.ts';
import type { Vacuumed } from '../../core/maintenance.ts';
import type { StepDeps, TableEngine } from '../deps.ts';
import { isNameOf } from './staging.ts';

type Deps = Pick<StepDeps, 'store' | 'sqlEngine'>;

/**
 * Lets engines forget tables that they were shown for runs of a pipeline, and that have been there since before `before`, or of which the
 * files are gone: the next run of a model does so for its own, but there may be none. With `dry_run` it only counts.
 */
export async function forgetNames(
  deps: Deps,
  { pipeline, dry_run }: { readonly pipeline: string; readonly dry_run: boolean },
  before: number,
): Promise<Vacuumed> {
  let names = 0;
  for (const engine of new Set(ENGINES.flatMap((name) => deps.sqlEngine?.(name) ?? []))) {
    const own = (await engine.names('')).filter(isNameOf(deps.store, pipeline));
    const stale: string[] = [];
    for (const name of own) if (await isStale(deps, engine, name, before)) stale.push(name);
    if (!dry_run) await engine.hide(stale);
    names += stale.length;
  }
  return { table: `${pipeline}_gold`, kind: 'names', files: 0, bytes: 0, names };
}

async function isStale({ store }: Deps, engine: TableEngine, name: string, before: number): Promise<boolean> {
  // An engine may not be able to say anything of a table whose files are gone.
  const location = await engine.shown(name).catch((cause: unknown) => {
    if (cause instanceof InvalidInput) return undefined;
    throw cause;
  });
  const file = location === undefined ? undefined : await store.head(store.key(location));
  return file === undefined || file.modified < before;
}
