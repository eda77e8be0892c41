import type { ObjectStore } from '../../lib/ports.ts';

/** What an actor died of; it may begin anew. */
export class Died extends Error {}

/** Lets an actor pass once it is its turn; `enabled` says whether it may have one now. */
export type Gate = (what: string, enabled?: () => boolean) => Promise<'go' | 'dies before' | 'dies after'>;

export type Actor = { readonly name: string; readonly act: (gate: Gate) => Promise<void> };

export type Exploration = {
  /** A world anew, and what acts in it. */
  readonly world: () => Promise<{ readonly actors: readonly Actor[]; readonly check: () => Promise<void> }>;
  /** How often another actor may go on although the last one could; Infinity: all orders. */
  readonly preemptions: number;
  /** Actors that may die, once in each order, by name. */
  readonly mortal?: readonly string[];
};

type Step = 'go' | 'dies before' | 'dies after';
type Choice = { readonly actor: number; readonly step: Step };
type Waiting = { readonly what: string; readonly enabled: () => boolean; readonly pass: (step: Step) => void };

/**
 * Runs every order in which actors can pass their gates, each in a world of its own, and checks each end. What fails
 * carries its order. Answers how many orders there were.
 */
export async function explore(exploration: Exploration): Promise<number> {
  let orders = 0;
  let prefix: readonly number[] | undefined = [];
  while (prefix !== undefined) {
    const { taken, trace } = await runOrder(exploration, prefix);
    orders += 1;
    prefix = nextPrefix(taken, trace);
  }
  return orders;
}

type Taken = { readonly at: number; readonly of: number };

function nextPrefix(taken: readonly Taken[], trace: readonly string[]): readonly number[] | undefined {
  if (trace.length > 500) throw new Error(`no end: ${trace.join(', ')}`);
  for (let last = taken.length - 1; last >= 0; last -= 1) {
    const { at = 0, of = 0 } = taken[last] ?? {};
    if (at + 1 < of) return [...taken.slice(0, last).map((one) => one.at), at + 1];
  }
  return undefined;
}

type Order = { readonly taken: readonly Taken[]; readonly trace: readonly string[] };

async function runOrder({ world, preemptions, mortal = [] }: Exploration, prefix: readonly number[]): Promise<Order> {
  const { actors, check } = await world();
  const waiting = new Map<number, Waiting>();
  let stopped = (): void => {};
  const failures: unknown[] = [];
  const begin = (index: number): Promise<void> =>
    new Promise((resolve) => {
      stopped = resolve;
      const gate: Gate = (what, enabled = () => true) =>
        new Promise((pass) => {
          waiting.set(index, { what, enabled, pass });
          stopped();
        });
      void actors[index]
        ?.act(gate)
        .catch((cause: unknown) => failures.push(cause))
        .finally(() => stopped());
    });
  for (const index of actors.keys()) await begin(index);
  const taken: Taken[] = [];
  const trace: string[] = [];
  const used = { preemptions: 0, deaths: 0, last: -1 };
  for (;;) {
    const mayDie = used.deaths === 0 ? mortal : [];
    const left = preemptions - used.preemptions;
    const choices = choicesOf(actors, waiting, { last: used.last, left, mayDie });
    if (choices.length === 0) break;
    const at = prefix[taken.length] ?? 0;
    const choice = choices[at];
    if (choice === undefined) throw new Error(`this order cannot be repeated: ${trace.join(', ')}`);
    taken.push({ at, of: choices.length });
    const passing = waiting.get(choice.actor);
    waiting.delete(choice.actor);
    trace.push(`${actors[choice.actor]?.name} ${choice.step === 'go' ? '' : `${choice.step} `}${passing?.what}`);
    if (used.last !== choice.actor && waiting.get(used.last)?.enabled()) used.preemptions += 1;
    if (choice.step !== 'go') used.deaths += 1;
    used.last = choice.actor;
    await new Promise<void>((resolve) => {
      stopped = resolve;
      passing?.pass(choice.step);
    });
    if (trace.length > 500) break;
  }
  try {
    if (failures.length > 0) throw failures[0];
    await check();
  } catch (cause) {
    throw new Error(`${String(cause).replaceAll('\n', ' ')}; in this order: ${trace.join(', ')}`, { cause });
  }
  return { taken, trace };
}

/** The last actor first, so that the first order has no preemption. */
function choicesOf(
  actors: readonly Actor[],
  waiting: ReadonlyMap<number, Waiting>,
  { last, left, mayDie }: { readonly last: number; readonly left: number; readonly mayDie: readonly string[] },
): readonly Choice[] {
  const ready = [...waiting].filter(([, { enabled }]) => enabled()).map(([index]) => index);
  const order = ready.sort((a, b) => Number(b === last) - Number(a === last) || a - b);
  const free = left > 0 || !order.includes(last) ? order : [last];
  return free.flatMap((actor) => {
    const steps: readonly Step[] = mayDie.includes(actors[actor]?.name ?? '')
      ? ['go', 'dies before', 'dies after']
      : ['go'];
    return steps.map((step) => ({ actor, step }));
  });
}

/** A store of which some calls, one after another, pass a gate first: those that are `about`, as `reads lock.json`. */
export function gated(store: ObjectStore, gate: Gate, about: (call: string) => boolean): ObjectStore {
  const through = async <T>(what: string, key: string, act: () => Promise<T>): Promise<T> => {
    const call = `${what} ${key.slice(key.lastIndexOf('/') + 1) || key}`;
    if (!about(call)) return act();
    const step = await gate(call);
    if (step === 'dies before') throw new Died();
    const answer = await act();
    if (step === 'dies after') throw new Died();
    return answer;
  };
  return {
    ...store,
    read: (key) => through('reads', key, () => store.read(key)),
    write: (key, bytes, condition) => through('writes', key, () => store.write(key, bytes, condition)),
    remove: (key) => through('removes', key, () => store.remove(key)),
    async *list(prefix, options) {
      const found = await through('lists', prefix, async () => {
        const all = [];
        for await (const info of store.list(prefix, options)) all.push(info);
        return all;
      });
      yield* found;
    },
  };
}
