/**
 * What a keyed table must hold, written as plainly as possible: a walk over one key's events in order of their sequence.
 * `null` orders nowhere: every event here has a key and a sequence.
 */
export type Event = {
  readonly seq: number;
  readonly op: 'upsert' | 'delete';
  /** Tracked columns. */
  readonly a: string | null;
  readonly b: number | null;
  /** Untracked. */
  readonly u: string | null;
  /** The source's own end. */
  readonly end: number | null;
  readonly hash: string;
};

export type Version = Pick<Event, 'a' | 'b' | 'u' | 'end'> & { readonly from: number; readonly to: number | null };

export type Rules = {
  readonly coalesce: boolean;
  readonly validTo: boolean;
  /** Smaller comes first; undefined leaves it to the hash. */
  readonly tieBreak?: (x: Event, y: Event) => number;
};

export function versionsOf(events: readonly Event[], rules: Rules): readonly Version[] {
  const versions: Version[] = [];
  let open: Version | undefined;
  for (const event of winners(events, rules)) {
    const end = rules.validTo ? (open?.end ?? null) : null;
    const gone = end !== null && end < event.seq;
    const same = open !== undefined && !gone && rules.coalesce && open.a === event.a && open.b === event.b;
    if (event.op === 'upsert' && same && open !== undefined) {
      open = { ...open, u: event.u, end: event.end };
      continue;
    }
    if (open !== undefined) versions.push({ ...open, to: gone ? end : event.seq });
    const { a, b, u, end: own } = event;
    open = event.op === 'delete' ? undefined : { from: event.seq, to: null, a, b, u, end: own };
  }
  if (open !== undefined) versions.push({ ...open, to: rules.validTo ? open.end : null });
  return versions;
}

/** SCD1: the row of the latest event, unless that deletes. */
export function latestOf(events: readonly Event[], rules: Rules): Event | undefined {
  const last = winners(events, rules).at(-1);
  return last?.op === 'delete' ? undefined : last;
}

/** At one sequence: a delete before an upsert, then the tie-break, then the hash. */
function winners(events: readonly Event[], rules: Rules): readonly Event[] {
  const first = new Map<number, Event>();
  for (const event of events) {
    const rival = first.get(event.seq);
    if (rival === undefined || compare(event, rival, rules) < 0) first.set(event.seq, event);
  }
  return [...first.values()].sort((x, y) => x.seq - y.seq);
}

function compare(x: Event, y: Event, rules: Rules): number {
  if (x.op !== y.op) return x.op === 'delete' ? -1 : 1;
  const tie = rules.tieBreak?.(x, y) ?? 0;
  return tie !== 0 ? tie : x.hash < y.hash ? -1 : x.hash > y.hash ? 1 : 0;
}
