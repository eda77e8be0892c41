import { type Area, EXPORTS, ZONES } from './objects.ts';

/** Requests to S3, by their two prices; to remove one object is free. */
export type Requests = {
  /** GET and HEAD. */
  readonly get: number;
  /** PUT, POST and LIST. */
  readonly put: number;
};

/** Requests, and the bytes of the files that they brought to workers and published; what is read and written whole is small. */
export type Spent = Requests & { readonly bytes_in: number; readonly bytes_out: number };

export const NOTHING_SPENT: Spent = { get: 0, put: 0, bytes_in: 0, bytes_out: 0 };

/** How long a call of a step, or several together, took, and what they asked S3 for, which earlier releases didn't say. */
export type Measured = {
  readonly ms: number;
  readonly spent?: Spent;
  /** Present: by a call of this step, which does several steps one after the other. */
  readonly within?: 'Level';
  /** When it began and ended, or the first and the last of several, as ISO instants; earlier releases didn't say. */
  readonly span?: Span;
  /** The most memory that its process had until it ended, in bytes. */
  readonly peak_bytes?: number;
  /** The most that the engine of its process had spilled at a time while it worked, in bytes; earlier releases didn't say. */
  readonly spilled_bytes?: number;
};

export type Span = { readonly from: string; readonly to: string };

/** Files above this size are uploaded in parts of it, and read in ranges of it, in bytes. */
export const PART_BYTES = 16 * 2 ** 20;

/** Names on one page of a list. */
export const PAGE = 1_000;

export type Seen = { readonly [area in Area]?: number };

/** A call of a store or a catalog, as far as it decides what S3 is asked for. */
export type Call =
  | { readonly kind: 'read' | 'head' | 'write' | 'remove' }
  /** At most 1,000 objects of so many zones that are removed together. */
  | { readonly kind: 'remove-all'; readonly zones: number }
  /** `seen`: how many objects of each zone were looked at, ignored ones too. */
  | { readonly kind: 'list'; readonly prefix: string; readonly seen: Seen }
  | { readonly kind: 'names'; readonly prefix: string; readonly count: number }
  /** One object of those that are lent; without `bytes` it was no longer as it was asked for. */
  | { readonly kind: 'borrow'; readonly bytes?: number }
  /** Some bytes of an object. */
  | { readonly kind: 'range'; readonly bytes: number }
  /** Without `bytes` there was no file to publish, because that had been done. */
  | { readonly kind: 'publish'; readonly bytes?: number }
  /** A table by name, where there is one: its metadata file. */
  | { readonly kind: 'load'; readonly found: boolean }
  /** The new metadata file of a table. */
  | { readonly kind: 'commit' };

/**
 * What one call costs on S3. The adapters of S3 and Glue are tested against it: repetitions after faults, commits that
 * were refused, and what only S3 sees on the pages of a list (delete markers, folders of consoles, keys in folders that a
 * folder's list passes by) are left out.
 */
export function spentBy(call: Call): Spent {
  switch (call.kind) {
    case 'read':
    case 'head':
      return { ...NOTHING_SPENT, get: 1 };
    case 'write':
    case 'commit':
      return { ...NOTHING_SPENT, put: 1 };
    case 'remove':
      return NOTHING_SPENT;
    case 'remove-all':
      // To each bucket a POST.
      return { ...NOTHING_SPENT, put: call.zones };
    case 'list':
      return { ...NOTHING_SPENT, put: pagesOf(call.prefix, call.seen) };
    case 'names':
      return { ...NOTHING_SPENT, put: call.prefix === '' ? 0 : pages(call.count) };
    case 'borrow':
      return { ...NOTHING_SPENT, get: 1 + partsOf(call.bytes), bytes_in: call.bytes ?? 0 };
    case 'range':
      return { ...NOTHING_SPENT, get: Math.max(1, Math.ceil(call.bytes / PART_BYTES)), bytes_in: call.bytes };
    case 'publish':
      return { ...NOTHING_SPENT, get: 1, put: putsOf(call.bytes), bytes_out: call.bytes ?? 0 };
    case 'load':
      return { ...NOTHING_SPENT, get: call.found ? 1 : 0 };
  }
}

export function addSpent(a: Spent, b: Spent): Spent {
  return {
    get: a.get + b.get,
    put: a.put + b.put,
    bytes_in: a.bytes_in + b.bytes_in,
    bytes_out: a.bytes_out + b.bytes_out,
  };
}

/** Requests so many times. */
export function times({ get, put }: Requests, count: number): Requests {
  return { get: get * count, put: put * count };
}

export function addRequests(...all: readonly Requests[]): Requests {
  return all.reduce((sum, { get, put }) => ({ get: sum.get + get, put: sum.put + put }), { get: 0, put: 0 });
}

/** Each zone has a bucket of its own, and what is exported a folder of its own in one of them. */
function pagesOf(prefix: string, seen: Seen): number {
  const areas = [...ZONES, EXPORTS] as const;
  const under = areas.filter((area) => prefix.startsWith(`${area}/`) || `${area}/`.startsWith(prefix));
  return under.reduce((sum, area) => sum + pages(seen[area] ?? 0), 0);
}

function pages(names: number): number {
  return Math.max(1, Math.ceil(names / PAGE));
}

/** The first request for a large object says what it is; its ranges are read after that. */
function partsOf(bytes = 0): number {
  return bytes > PART_BYTES ? Math.ceil(bytes / PART_BYTES) : 0;
}

/** An upload in parts is begun and completed. */
function putsOf(bytes: number | undefined): number {
  if (bytes === undefined) return 0;
  return bytes > PART_BYTES ? Math.ceil(bytes / PART_BYTES) + 2 : 1;
}

/** What a step of a run took, all its units together. */
export type StepTiming = Measured & {
  readonly step: string;
  readonly level: number | null;
  readonly units: number;
};
