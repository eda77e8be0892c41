import { GetExecutionHistoryCommand, type HistoryEvent, type SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { StateEvent } from '../asl/state-event.ts';

const UNITS = z.object({ count: z.number() }).optional();
const PLANNED = z.object({ stage: UNITS, merge: UNITS });

/** The map of units behind each step that plans one, and the Task state in it. */
const MAPS = {
  PlanStage: { map: 'StageMap', task: 'Stage', units: 'stage' },
  PlanMerge: { map: 'MergeMap', task: 'Merge', units: 'merge' },
} as const;

type Entered = { readonly at: number; readonly units: number };

/**
 * Turns the history of an execution into the events that the local runner reports. The units of a distributed map are
 * executions of their own, so they are told all at once, when their map has ended.
 */
export function createHistoryReader(onEvent: (event: StateEvent) => void): (event: HistoryEvent) => void {
  const entered = new Map<string, Entered>();
  const planned = new Map<string, number>();
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
    const unit = Object.values(MAPS).find(({ map }) => map === leaving)?.task;
    const durationMs = since === undefined ? 0 : at - since.at;
    if (unit !== undefined) {
      for (let left = since?.units ?? 0; left > 0; left -= 1) onEvent({ kind: 'succeeded', state: unit, durationMs });
    }
    onEvent({ kind: 'succeeded', state: leaving, durationMs });
  };
}

/** What a planning step answers says how many units its map will work on. */
function noteUnits(planned: Map<string, number>, state: string, output: string | undefined): void {
  if (state !== 'PlanStage' && state !== 'PlanMerge') return;
  const { map, units } = MAPS[state];
  const parsed = PLANNED.safeParse(parseJson(output));
  planned.set(map, parsed.success ? (parsed.data[units]?.count ?? 0) : 0);
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
