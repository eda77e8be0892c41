import { GetExecutionHistoryCommand, type HistoryEvent, type SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { StateEvent } from '../asl/state-event.ts';

const UNITS = z.object({ count: z.number() }).optional();
const PLANNED = z.object({ level: z.number().optional(), left: z.string().optional(), stage: UNITS, merge: UNITS });

/** The maps, with the Task state in each and what says how many units there are. */
const MAPS = [
  { map: 'StageMap', task: 'Stage', units: 'stage' },
  { map: 'MergeMap', task: 'Merge', units: 'merge' },
] as const;
const PLANNING = ['Level', 'PlanStage', 'PlanMerge'];

type Entered = { readonly at: number; readonly units: number };

/**
 * Turns the history of an execution into the events that the local runner reports. The units of a distributed map are
 * executions of their own, so they are told all at once, when their map has ended.
 */
export function createHistoryReader(onEvent: (event: StateEvent) => void): (event: HistoryEvent) => void {
  const entered = new Map<string, Entered>();
  const planned = new Map<string, number>();
  let level = 0;
  return ({ timestamp, stateEnteredEventDetails, stateExitedEventDetails }) => {
    const at = timestamp?.getTime() ?? 0;
    const entering = stateEnteredEventDetails?.name;
    if (entering !== undefined) {
      const units = planned.get(entering) ?? 0;
      entered.set(entering, { at, units });
      onEvent({ kind: 'started', state: entering });
      if (entering.endsWith('Map')) onEvent({ kind: 'items', state: entering, count: units });
    }
    const leaving = stateExitedEventDetails?.name;
    if (leaving === undefined) return;
    noteUnits(planned, leaving, stateExitedEventDetails?.output);
    const since = entered.get(leaving);
    const unit = MAPS.find(({ map }) => map === leaving)?.task;
    const durationMs = since === undefined ? 0 : at - since.at;
    if (leaving === 'Level' || leaving === 'Audit') {
      const after = planOf(stateExitedEventDetails?.output);
      if (leaving === 'Level') tellLevels(onEvent, level, after, durationMs);
      level = after.level ?? level;
    }
    if (unit !== undefined) {
      for (let left = since?.units ?? 0; left > 0; left -= 1) onEvent({ kind: 'succeeded', state: unit, durationMs });
    }
    onEvent({ kind: 'succeeded', state: leaving, durationMs });
  };
}

/** What a planning step answers says how many units its map will work on. */
function noteUnits(planned: Map<string, number>, state: string, output: string | undefined): void {
  if (!PLANNING.includes(state)) return;
  const answer = planOf(output);
  for (const { map, units } of MAPS) planned.set(map, answer[units]?.count ?? 0);
}

function planOf(output: string | undefined): z.infer<typeof PLANNED> {
  const parsed = PLANNED.safeParse(parseJson(output));
  return parsed.success ? parsed.data : {};
}

/** The levels that a call of Level has done, which share its time, and the one of which it has left something to other functions. */
function tellLevels(
  onEvent: (event: StateEvent) => void,
  from: number,
  { level = from, left = 'nothing' }: z.infer<typeof PLANNED>,
  ms: number,
): void {
  const within = 'Level';
  for (let done = from; done < level; done += 1) {
    onEvent({ kind: 'started', state: 'PlanStage', within });
    onEvent({ kind: 'succeeded', state: 'Audit', within, durationMs: ms / (level - from) });
  }
  if (left !== 'nothing') onEvent({ kind: 'started', state: 'PlanStage', within });
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}

const EVENTS_AT_ONCE = 100;

/**
 * The events of an execution after one by its id, oldest first. Asks from the newest, so that following a long
 * execution does not read its history again and again.
 */
export async function readEventsAfter(
  sfn: Pick<SFNClient, 'send'>,
  executionArn: string,
  last: number,
): Promise<readonly HistoryEvent[]> {
  const found: HistoryEvent[] = [];
  let token: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({
        executionArn,
        reverseOrder: true,
        maxResults: EVENTS_AT_ONCE,
        includeExecutionData: true,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    const events = page.events ?? [];
    found.push(...events.filter((event) => (event.id ?? 0) > last));
    token = events.some((event) => (event.id ?? 0) <= last) ? undefined : page.nextToken;
  } while (token !== undefined);
  return found.reverse();
}

/** The state that an execution is in; null where its history has none, or may not be read. */
export async function lastStateOf(sfn: Pick<SFNClient, 'send'>, executionArn: string): Promise<string | null> {
  const asked = new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: LATEST_EVENTS });
  const { events = [] } = await sfn.send(asked).catch(() => ({ events: [] }));
  return (
    events.find(({ stateEnteredEventDetails }) => stateEnteredEventDetails !== undefined)?.stateEnteredEventDetails
      ?.name ?? null
  );
}

/** A state that was entered has a few events of its own since. */
const LATEST_EVENTS = 20;
