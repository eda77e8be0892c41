import { createHash } from 'node:crypto';
import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import type { RunRef } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';
import { swapJson } from './run-folder.ts';

/** Ids of runs whose folders are gone, so that none is used again: in 256 objects at most, by a hash of the id. */
type Ids = { readonly ids: readonly string[] };

type Of = Pick<RunRef, 'pipeline' | 'run_id'>;

function keyOf({ pipeline, run_id }: Of): string {
  return `ops/${pipeline}/_run_ids/${createHash('sha256').update(run_id).digest('hex').slice(0, 2)}.json`;
}

/** Notes ids before the folders are removed; repeating it changes nothing. */
export async function rememberIds(store: ObjectStore, pipeline: string, ids: readonly string[]): Promise<void> {
  for (const [key, members] of Map.groupBy(ids, (run_id) => keyOf({ pipeline, run_id }))) {
    for (;;) {
      const { known, etag } = await readIds(store, key);
      const all = [...new Set([...known, ...members])].sort();
      if (all.length === known.length || (await swapJson(store, key, etag, { ids: all } satisfies Ids))) break;
    }
  }
}

/** Throws InvalidInput for the id of a run that has ended so long ago that nothing else is left of it. */
export async function requireUnusedId(store: ObjectStore, of: Of): Promise<void> {
  const { known } = await readIds(store, keyOf(of));
  if (!known.includes(of.run_id)) return;
  throw new InvalidInput(
    `run ${of.run_id} of ${of.pipeline}: got the id of a run that has ended, and whose result maintenance has removed since; expected ` +
      'another id. What it did is in its row of the table of runs: strata runs',
  );
}

async function readIds(
  store: ObjectStore,
  key: string,
): Promise<{ readonly known: readonly string[]; readonly etag: string | undefined }> {
  try {
    const { bytes, etag } = await store.read(key);
    return { known: (JSON.parse(new TextDecoder().decode(bytes)) as Ids).ids, etag };
  } catch (cause) {
    if (!(cause instanceof ObjectNotFound)) throw cause;
    return { known: [], etag: undefined };
  }
}
