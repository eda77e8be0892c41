import type { Played } from './play.ts';
import { type Call, type Event, interfere, type Schedule, type Trace } from './scheduler.ts';

/** How much may happen in one schedule. */
export type Bounds = {
  /** How often one that could go on stops and another goes on. */
  readonly pauses: number;
  /** Late pauses (which are pauses too), crashes, lost answers and refused calls. */
  readonly faults: number;
  /** The kinds of faults; left out: all. */
  readonly kinds?: readonly Event['what'][];
  /** Before which calls; left out: before all. */
  readonly at?: RegExp;
};

export type Found = { readonly schedule: Schedule; readonly played: Played };

type Play = (schedule: Schedule) => Promise<Played>;

/**
 * Every schedule within the bounds, those in which less happens first, each with what came of it. Of schedules that differ only
 * in the order of calls that do not interfere one is played: a pause is moved on to where the next call does.
 */
export async function* explore(play: Play, actors: readonly string[], bounds: Bounds): AsyncIterable<Found> {
  let level: Found[] = [];
  for (const first of actors) {
    const schedule = { first, events: [] };
    level.push({ schedule, played: await play(schedule) });
  }
  yield* level;
  for (let happened = 1; happened <= bounds.pauses + bounds.faults; happened += 1) {
    const next: Found[] = [];
    for (const found of level) {
      for await (const child of childrenOf(play, found, actors, bounds)) {
        yield child;
        next.push(child);
      }
    }
    level = next;
  }
}

/** What one more event, after those that there are, can make of a schedule. */
async function* childrenOf(
  play: Play,
  { schedule, played }: Found,
  actors: readonly string[],
  bounds: Bounds,
): AsyncIterable<Found> {
  const begin = played.reached.at(-1) ?? 0;
  for (const what of ['pause', 'late', 'crash', 'lost', 'refused'] as const) {
    if (!within(bounds, [...schedule.events, { what }])) continue;
    for (const heir of actors) {
      for (let at = begin; at < played.trace.length; at += 1) {
        const call = played.trace[at];
        if (call === undefined || 'ended' in call || bounds.at?.test(call.text) === false) continue;
        if (!isPossible(played.trace, at, call, what, heir, actors)) continue;
        const { actor, text, n } = call;
        const event: Event = {
          actor,
          before: text,
          n,
          what,
          ...(what === 'lost' || what === 'refused' ? {} : { next: heir }),
        };
        const child = { ...schedule, events: [...schedule.events, event] };
        const found = { schedule: child, played: await play(child) };
        yield found;
        if (what === 'pause' || what === 'late') at = lastAlike(played.trace, at, found, what);
      }
    }
  }
}

function within({ pauses, faults, kinds }: Bounds, events: readonly Pick<Event, 'what'>[]): boolean {
  const count = (kind: readonly Event['what'][]): number => events.filter(({ what }) => kind.includes(what)).length;
  if (kinds !== undefined && events.some(({ what }) => what !== 'pause' && !kinds.includes(what))) return false;
  return count(['pause', 'late']) <= pauses && count(['late', 'crash', 'lost', 'refused']) <= faults;
}

function isPossible(
  trace: Trace,
  at: number,
  { actor, changes }: Call,
  what: Event['what'],
  heir: string,
  actors: readonly string[],
): boolean {
  const left = actors.filter((name) => name !== actor && !hasEnded(trace, at, name));
  // Before a call that changes nothing a process might as well end before the next one.
  if (what === 'lost' || what === 'refused') return changes && heir === actor;
  if (what === 'crash') return changes && (left.includes(heir) || (left.length === 0 && heir === actor));
  return left.includes(heir);
}

function hasEnded(trace: Trace, at: number, actor: string): boolean {
  return trace.slice(0, at).some((one) => one.actor === actor && 'ended' in one);
}

/**
 * The last call before which the actor could as well have been stopped: up to there its calls do not interfere with what others
 * did meanwhile. What is written before time passes is old after it.
 */
function lastAlike(trace: Trace, at: number, { played }: Found, what: 'pause' | 'late'): number {
  const { actor } = trace[at] ?? {};
  const begin = played.reached.at(-1) ?? 0;
  const back = played.trace.findIndex((one, place) => place >= begin && one.actor === actor);
  const meanwhile = played.trace.slice(begin, back < 0 ? undefined : back).filter((one): one is Call => 'text' in one);
  for (let place = at; place < trace.length; place += 1) {
    const one = trace[place];
    if (one === undefined || one.actor !== actor || 'ended' in one) return place - 1;
    if (what === 'late' && one.changes) return place;
    if (meanwhile.some((other) => interfere(one, other))) return place;
  }
  return trace.length;
}
