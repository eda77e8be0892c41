import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { RunRef } from '../../core/run.ts';
import type { ObjectStore } from '../../ports.ts';

/** What a run id may be of, and the folder by which the books know it. */
const FOLDERS = { run: '_runs', compaction: '_compactions', sweep: '_maintenance' } as const;
export type IdOwner = keyof typeof FOLDERS;

const NAMES: Readonly<Record<IdOwner, string>> = {
  run: 'a run',
  compaction: 'a compaction',
  sweep: 'an expiry or a vacuum',
};

/**
 * Throws InvalidInput where something of another kind has the id: the table of runs and the snapshots of tables know what
 * has published by its id alone.
 */
export async function requireOwnId(store: ObjectStore, run: RunRef, owner: IdOwner): Promise<void> {
  if (run.dry_run) return;
  const others = (Object.keys(FOLDERS) as IdOwner[]).filter((one) => one !== owner);
  const taken = await mapConcurrent(others, async (one) => {
    const found = await store.head(`ops/${run.pipeline}/${FOLDERS[one]}/${run.run_id}/plan.json`);
    return found === undefined ? [] : [NAMES[one]];
  });
  const [other] = taken.flat();
  if (other === undefined) return;
  throw new InvalidInput(
    `--run-id: got ${run.run_id}, which ${other} of ${run.pipeline} has; expected an id that nothing has yet, or none: then one is made`,
  );
}
