import assert from 'node:assert/strict';
import type { Answers } from '../support/memo-engine.ts';
import { type Bounds, explore } from './explore.ts';
import { type Played, play, prepare, type Scenario } from './play.ts';
import type { Call, Schedule } from './scheduler.ts';
import { type CatalogKind, openGround } from './world.ts';

/** Where scenarios are played: in a fresh lake each time, over an engine that remembers. */
export type Laboratory = AsyncDisposable & {
  play(scenario: Scenario, schedule: Schedule): Promise<Played>;
  /** The first schedule within the bounds in which an invariant does not hold, and how many were played. */
  search(
    scenario: Scenario,
    bounds: Bounds,
  ): Promise<{ readonly played: number; readonly found?: { readonly schedule: Schedule; readonly broken: string } }>;
};

/** With `answers` of the engine from other laboratories, nothing is asked twice. */
export async function openLaboratory(answers?: Answers, kind?: CatalogKind): Promise<Laboratory> {
  const ground = await openGround(answers, kind);
  const bases = new Map<string, ReturnType<typeof prepare>>();
  const baseOf = (scenario: Scenario): ReturnType<typeof prepare> => {
    const key = `${scenario.runs} ${scenario.compacted === true} ${scenario.serves === true}`;
    const base = bases.get(key) ?? prepare(ground, scenario);
    bases.set(key, base);
    return base;
  };
  const playOne = async (scenario: Scenario, schedule: Schedule): Promise<Played> =>
    play(ground, scenario, schedule, await baseOf(scenario));
  return {
    play: playOne,
    async search(scenario, bounds) {
      let played = 0;
      const actors = Object.keys(scenario.actors);
      for await (const one of explore((schedule) => playOne(scenario, schedule), actors, bounds)) {
        played += 1;
        const { schedule } = one;
        assert.equal(one.played.reached.length, schedule.events.length, `not reached: ${JSON.stringify(schedule)}`);
        if (one.played.broken === undefined) continue;
        const told = await atChanges((other) => playOne(scenario, other), schedule, one.played);
        return { played, found: { schedule: told, broken: one.played.broken } };
      }
      return { played };
    },
    [Symbol.asyncDispose]: async () => ground.close(),
  };
}

/** The same schedule, with pauses before changes where these are as good: they say more than looks, and change less. */
async function atChanges(
  playOne: (schedule: Schedule) => Promise<Played>,
  schedule: Schedule,
  found: Played,
): Promise<Schedule> {
  let best = schedule;
  for (const [at, event] of schedule.events.entries()) {
    const change = found.trace
      .slice(found.reached[at])
      .find((one): one is Call => one.actor === event.actor && 'text' in one && one.changes);
    if (change === undefined || !['pause', 'late'].includes(event.what)) continue;
    const { text: before, n } = change;
    const events = best.events.with(at, { ...event, before, n });
    const { reached, broken } = await playOne({ ...best, events });
    if (reached.length === events.length && broken === found.broken) best = { ...best, events };
  }
  return best;
}
