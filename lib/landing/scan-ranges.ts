import { mapConcurrent } from '../core/concurrency.ts';
import { type ByteSource, passBytes } from './byte-source.ts';
import type { Dialect } from './dialect.ts';
import { createRecordScanner, type EntryState } from './record-scanner.ts';

/** A place in a file where a record begins, and the line breaks before it. */
export type Boundary = { readonly offset: number; readonly lines: number };

/** What the scan of a whole file says, range by range. */
export type FileScan = {
  /** Of every range in which a record begins, the first that does, in their order. */
  readonly boundaries: readonly Boundary[];
  readonly lines: number;
  /** Bytes of the longest record. */
  readonly longest: number;
  /** Where a record begins whose quote is never closed. */
  readonly openQuote: Boundary | undefined;
};

/** One range, as far as its own bytes say, for what it may begin with. */
type RangeScan = {
  readonly lines: number;
  readonly longest: number;
  readonly first: Boundary | undefined;
  /** Where the first record ends. */
  readonly firstEnd: number;
  /** A record that is open at the end, and where it began: undefined for one that was open before. */
  readonly open: { readonly from: Boundary | undefined } | undefined;
};

type Range = { readonly from: number; readonly to: number };
type Found = { readonly [state in EntryState]?: RangeScan };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Scans the bytes of a text from `start` on in ranges that begin about every `rangeBytes`. Every range begins behind a line
 * break, where there is a record or the inside of quotes: nobody knows which before the ranges ahead of it are scanned, so
 * that ranges which are read side by side are scanned for both, and joined in their order. `undefined` where a line is
 * longer than `longestLine`.
 */
export async function scanInRanges(
  source: ByteSource,
  dialect: Dialect,
  rules: { readonly start: number; readonly rangeBytes: number; readonly longestLine: number },
): Promise<FileScan | undefined> {
  const begins = await beginnings(source, rules);
  if (begins === undefined) return undefined;
  const ranges = begins.map((from, i): Range => ({ from, to: begins[i + 1] ?? source.size }));
  if (source.atOnce === 1) {
    const join = createJoin();
    for (const range of ranges) {
      const state = join.state();
      join.add(range, { [state]: await scanRange(source, dialect, range, state) });
    }
    return join.end();
  }
  const scanned = await mapConcurrent(ranges, (range, i) => scanBoth(source, dialect, range, i > 0), source.atOnce);
  const join = createJoin();
  for (const [i, range] of ranges.entries()) join.add(range, scanned[i] ?? {});
  return join.end();
}

/** Where ranges begin: at `start`, and behind the first line break after each of the places that are asked for. */
async function beginnings(
  source: ByteSource,
  { start, rangeBytes, longestLine }: { start: number; rangeBytes: number; longestLine: number },
): Promise<readonly number[] | undefined> {
  const wanted: number[] = [];
  for (let at = start + rangeBytes; at < source.size; at += rangeBytes) wanted.push(at);
  const found = await mapConcurrent(wanted, (at) => afterBreak(source, at, longestLine), source.atOnce);
  if (found.includes('too far')) return undefined;
  const places = found.filter((place): place is number => typeof place === 'number' && place < source.size);
  return [...new Set([start, ...places])];
}

/** The first place at or after `at` that stands behind a line break; a pair of CR and LF is one. */
async function afterBreak(source: ByteSource, at: number, furthest: number): Promise<number | 'too far'> {
  let before = 0;
  let place = at - 1;
  for await (const chunk of source.read(at - 1, source.size)) {
    for (const byte of chunk) {
      if (place >= at && (before === LF || (before === CR && byte !== LF))) return place;
      before = byte;
      place += 1;
    }
    if (place - at > furthest) return 'too far';
  }
  return source.size;
}

async function scanBoth(source: ByteSource, dialect: Dialect, range: Range, quoted: boolean): Promise<Found> {
  const states: readonly EntryState[] = quoted && dialect.quote >= 0 ? ['record', 'quotes'] : ['record'];
  const scans = await scanStates(source, dialect, range, states);
  return Object.fromEntries(states.map((state, i) => [state, scans[i]]));
}

async function scanRange(source: ByteSource, dialect: Dialect, range: Range, state: EntryState): Promise<RangeScan> {
  const [scan] = await scanStates(source, dialect, range, [state]);
  if (scan === undefined) throw new RangeError(`no scan of a range for ${state}`);
  return scan;
}

/** One reading of a range for several states. */
async function scanStates(
  source: ByteSource,
  dialect: Dialect,
  { from, to }: Range,
  states: readonly EntryState[],
): Promise<readonly RangeScan[]> {
  const firsts: (Boundary | undefined)[] = states.map(() => undefined);
  const scanners = states.map((state, i) => {
    const start = (offset: number, lines: number): number => {
      firsts[i] = { offset, lines };
      return Number.POSITIVE_INFINITY;
    };
    return createRecordScanner(dialect, { start }, state);
  });
  await passBytes(source, from, to, (bytes) => {
    for (const scanner of scanners) scanner.push(bytes);
  });
  return scanners.map((scanner, i): RangeScan => {
    const { lines, longest, firstEnd, openQuote } = scanner.end();
    const first = firsts[i];
    const began = first !== undefined || states[i] === 'record';
    const open = openQuote && { from: began ? { offset: openQuote.offset, lines: openQuote.line - 1 } : undefined };
    return { lines, longest, first, firstEnd, open };
  });
}

/** Puts the ranges of a file one after the other. */
function createJoin() {
  const boundaries: Boundary[] = [];
  let lines = 0;
  let longest = 0;
  let open: Boundary | undefined;
  const state = (): EntryState => (open === undefined ? 'record' : 'quotes');
  return {
    /** What the next range begins with. */
    state,
    add({ from, to }: Range, found: Found): void {
      const scan = found[state()];
      if (scan === undefined) throw new RangeError(`the range at byte ${from} was not scanned for ${state()}`);
      const placed = (one: Boundary): Boundary => ({ offset: from + one.offset, lines: lines + one.lines });
      const endOfFirst = scan.open !== undefined && scan.open.from === undefined ? to : from + scan.firstEnd;
      if (open !== undefined) longest = Math.max(longest, endOfFirst - open.offset);
      longest = Math.max(longest, scan.longest);
      if (scan.first !== undefined) boundaries.push(placed(scan.first));
      if (scan.open === undefined) open = undefined;
      else if (scan.open.from !== undefined) open = placed(scan.open.from);
      lines += scan.lines;
    },
    end: (): FileScan => ({ boundaries, lines, longest, openQuote: open }),
  };
}
