import assert from 'node:assert/strict';
import { type Bounds, explore } from './explore.ts';
import { type Played, play, prepare, type Scenario } from './play.ts';
import type { Schedule } from './scheduler.ts';
import { openGround } from './world.ts';

/** Where scenarios are played: in a fresh lake each time, over an engine that remembers. */
export type Laboratory = AsyncDisposable & {
  play(scenario: Scenario, schedule: Schedule): Promise<Played>;
  /** The first schedule within the bounds in which an invariant does not hold, and how many were played. */
  search(
    scenario: Scenario,
    bounds: Bounds,
  ): Promise<{ readonly played: number; readonly found?: { readonly schedule: Schedule; readonly broken: string } }>;
};

export async function openLaboratory(): Promise<Laboratory> {
  const ground = await openGround();
  const bases = new Map<number, ReturnType<typeof prepare>>();
  const baseOf = (runs: number): ReturnType<typeof prepare> => {
    const base = bases.get(runs) ?? prepare(ground, runs);
    bases.set(runs, base);
    return base;
  };
  const playOne = async (scenario: Scenario, schedule: Schedule): Promise<Played> =>
    play(ground, scenario, schedule, await baseOf(scenario.runs));
  return {
    play: playOne,
    async search(scenario, bounds) {
      let played = 0;
      const actors = Object.keys(scenario.actors);
      for await (const one of explore((schedule) => playOne(scenario, schedule), actors, bounds)) {
        played += 1;
        const { schedule } = one;
        assert.equal(one.played.reached.length, schedule.events.length, `not reached: ${JSON.stringify(schedule)}`);
        if (one.played.broken !== undefined) return { played, found: { schedule, broken: one.played.broken } };
      }
      return { played };
    },
    [Symbol.asyncDispose]: async () => ground.close(),
  };
}
