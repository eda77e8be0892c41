import { mapConcurrent } from '../../core/concurrency.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';
import { CONDEMNED, DECISION, gateFolder } from '../gate/gate-folder.ts';

/** `forget`: milliseconds since the epoch. `stay`: runs that are open, and those of which tables have snapshots. */
type GatesAge = { readonly forget: number; readonly stay: (runId: string) => boolean };

/**
 * What was to be decided about runs that have ended, and what was, once all of it is that old: the table of approvals says it for good.
 * The decisions go last, so that whoever dies in between leaves no run about which another could decide.
 */
export async function* endedGates(
  store: ObjectStore,
  pipeline: string,
  { forget, stay }: GatesAge,
): AsyncIterable<readonly ObjectInfo[]> {
  const folder = gateFolder.of(pipeline);
  // Who has asked for condemned rows stays on record, as no table says it.
  const runs = (await store.folders(folder)).filter((id) => id !== CONDEMNED && !stay(id));
  const found = await mapConcurrent(runs, async (run_id) => {
    const all: ObjectInfo[] = [];
    for await (const object of store.list(`${folder}${run_id}/`)) all.push(object);
    return all.every(({ modified }) => modified < forget) ? all : [];
  });
  const isDecision = ({ key }: ObjectInfo): boolean => key.endsWith(DECISION);
  yield found.flat().filter((object) => !isDecision(object));
  yield found.flat().filter(isDecision);
}
