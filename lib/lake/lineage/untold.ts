import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import { type BookRow, type RunFacts, recordedRunOf } from '../../core/facts.ts';
import type { RunPlan } from '../../core/run.ts';
import type { SendEvents } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { toldOf } from '../facts/told.ts';
import { swapJson, writeOnce } from '../run/run-folder.ts';

type Events = Parameters<SendEvents>[0];

/** Events of runs wait here, an object for each run, until they have been told. */
export function untoldFolder(pipeline: string): string {
  return `ops/${pipeline}/_lineage/`;
}

/** Where nobody listens for long, the oldest are given up beyond so many. */
export const MOST_UNTOLD = 1_000;
/** After so much time the others are left to the next run. */
const TELLING_MS = 30_000;
/** So many refusals, and nothing taken, are no matter of single events. */
const MOST_REFUSED = 5;

/** Puts down what is to be told of a run that has ended, where its pipeline tells anybody. A run that is begun anew has other events. */
export async function putDownEvents(
  deps: Pick<StepDeps, 'store' | 'log' | 'lineage'>,
  plan: RunPlan,
  row: BookRow,
  facts: Omit<RunFacts, 'runs'>,
): Promise<void> {
  const { run, spec, created_at } = plan;
  const { lineage } = deps;
  if (spec.openlineage === undefined || lineage === undefined) return;
  const events = toldOf(deps, run.run_id, () => lineage.events(spec, recordedRunOf(row, facts)));
  if (events === undefined) return;
  await writeOnce(
    deps.store,
    `${untoldFolder(run.pipeline)}${created_at.replaceAll(/[^0-9A-Za-z]/g, '')}-${run.run_id}.json`,
    events,
  );
}

/**
 * Tells what waits, the oldest first. What cannot be told waits for the next run, and is a line in the log: a run ends as it does whether
 * anybody hears of it. Events that are refused while others are taken are given up, so that they stand in nobody's way.
 */
export async function tellWaiting(
  { store, clock, log }: Pick<StepDeps, 'store' | 'clock' | 'log'>,
  pipeline: string,
  sender: () => Promise<SendEvents>,
): Promise<void> {
  try {
    const until = clock.now().getTime() + TELLING_MS;
    const waiting: string[] = [];
    for await (const { key } of store.list(untoldFolder(pipeline))) waiting.push(key);
    const keys = waiting.sort().slice(-MOST_UNTOLD);
    const lost = waiting.slice(0, waiting.length - keys.length);
    for (const key of lost) await store.remove(key);
    if (lost.length > 0) log.warn('events of runs are given up that nobody has taken', { runs: lost.length });
    if (keys.length === 0) return;
    await tellEach(keys, await sender(), { store, log, late: () => clock.now().getTime() > until });
  } catch (cause) {
    log.warn('events of runs could not be told and wait for the next run', { pipeline, cause: messageOf(cause) });
  }
}

type Telling = Pick<StepDeps, 'store' | 'log'> & { readonly late: () => boolean };

async function tellEach(keys: readonly string[], send: SendEvents, { store, log, late }: Telling): Promise<void> {
  const refused: { readonly key: string; readonly cause: string }[] = [];
  let told = 0;
  for (const key of keys) {
    // The latest is asked about all the same: the others may be refused for what they are.
    if (told === 0 && refused.length >= MOST_REFUSED && key !== keys.at(-1)) continue;
    try {
      const outcome = await tellOne(key, send, { store, late });
      if (outcome === 'late') break;
      told += outcome;
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) throw cause;
      refused.push({ key, cause: cause.message });
    }
  }
  for (const { key, cause } of refused) {
    log.warn(told > 0 ? 'events of a run are refused and given up' : 'events of a run are refused', { key, cause });
    if (told > 0) await store.remove(key);
  }
}

/** How many events of an object have been taken. Where it gets late or nobody answers, those that have been are no part of it any more. */
async function tellOne(
  key: string,
  send: SendEvents,
  { store, late }: Pick<Telling, 'store' | 'late'>,
): Promise<number | 'late'> {
  const { events, etag } = await eventsAt(store, key);
  let told = 0;
  const keepRest = async (): Promise<void> => {
    // Another may have told them meanwhile, and removed it.
    if (told > 0 && etag !== undefined) await swapJson(store, key, etag, events.slice(told));
  };
  for (const event of events) {
    if (late()) {
      await keepRest();
      return 'late';
    }
    try {
      await send([event]);
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) await keepRest();
      throw cause;
    }
    told += 1;
  }
  await store.remove(key);
  return told;
}

/** None of an object that another has told meanwhile. */
async function eventsAt(
  store: StepDeps['store'],
  key: string,
): Promise<{ readonly events: Events; readonly etag?: string }> {
  try {
    const { bytes, etag } = await store.read(key);
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return { events: Array.isArray(found) ? (found as Events) : [], etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound || cause instanceof SyntaxError) return { events: [] };
    throw cause;
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
