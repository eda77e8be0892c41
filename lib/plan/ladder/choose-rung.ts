import type { ExchangedTable, Stop } from '../../core/ladder.ts';
import type { RunPlan } from '../../core/run.ts';
import { allowedBytes } from '../../core/worker-memory.ts';
import { packInOrder } from '../pack.ts';

/** What of a table a model reads: bytes of the columns, in the files that may have rows which count. */
export type SizedTable = {
  readonly id: string;
  readonly bytes: number;
  readonly files: readonly SizedFile[];
};

export type SizedFile = { readonly key: string; readonly bytes: number; readonly rows: number };

export type RungQuestion = {
  readonly tables: readonly SizedTable[];
  /** Bytes that a worker has. */
  readonly worker: number;
  /** The tables of which units may read parts, or what of the SQL stops that. */
  readonly split: { readonly tables: readonly string[]; readonly keys: number } | Stop;
  /** Ways to keep rows apart, or what stops that. */
  readonly exchanges: readonly (readonly ExchangedTable[])[] | Stop;
};

/** What a unit of staging reads, of one table. */
export type MapShare = { readonly table: string; readonly files: readonly SizedFile[] };

export type Rung = { readonly bytes: number; readonly worker: number } & (
  | { readonly rung: 1 }
  | { readonly rung: 2; readonly table: string; readonly shares: readonly MapShare[]; readonly buckets: number }
  | {
      readonly rung: 3;
      readonly tables: readonly ExchangedTable[];
      readonly shares: readonly MapShare[];
      readonly buckets: number;
    }
  | { readonly rung: null; readonly stops: readonly RungStop[] }
);

/** Why a rung is none for a model. */
export type RungStop = { readonly rung: 2 | 3; readonly because: string };

/** Of what a worker has: what every unit may read of tables that are not cut, and what a unit of the merge takes of Parquet. */
const READ_BY_ALL = 1 / 2;
const REDUCED = 1 / 4;

/** Buckets for each unit of the merge that is foreseen, so that what it takes can be other than that. */
const BUCKETS_PER_UNIT = 4;
const MOST_BUCKETS = 1_024;

/** Bytes of input that one worker takes of a run: what it was planned with, or what its function has. */
export function workerBytes({ spec, unit_bytes }: Pick<RunPlan, 'unit_bytes'> & { spec: WorkerSpec }): number {
  const { memoryMb, tmpMb } = spec.compute.steps.Stage;
  return unit_bytes ?? Math.min(allowedBytes(memoryMb), tmpMb * 2 ** 20);
}

type WorkerSpec = { readonly compute: { readonly steps: { readonly Stage: { memoryMb: number; tmpMb: number } } } };

/** The first rung of the ladder that a model's inputs fit. */
export function chooseRung(question: RungQuestion): Rung {
  const { tables, worker, split, exchanges } = question;
  const bytes = sumOf(tables);
  if (bytes <= worker) return { rung: 1, bytes, worker };
  const second = 'stops' in split ? split.stops : partialRung(question, split);
  if (typeof second !== 'string') return { bytes, worker, ...second };
  const third = 'stops' in exchanges ? exchanges.stops : exchangeRung(question, exchanges);
  if (typeof third !== 'string') return { bytes, worker, ...third };
  const stops = [
    { rung: 2, because: second },
    { rung: 3, because: third },
  ] as const;
  return { rung: null, bytes, worker, stops };
}

type Chosen<R extends Rung['rung']> = Omit<Extract<Rung, { rung: R }>, 'bytes' | 'worker'>;

function partialRung(
  { tables, worker }: RungQuestion,
  split: { readonly tables: readonly string[]; readonly keys: number },
): Chosen<2> | string {
  const [cut] = tables.filter(({ id }) => split.tables.includes(id)).sort((a, b) => b.bytes - a.bytes);
  if (cut === undefined) return 'none of its tables can be read in parts';
  const others = sumOf(tables) - cut.bytes;
  if (others > worker * READ_BY_ALL) return tooMuch(others, worker, `every part of ${cut.id}`);
  const shares = sharesOf(cut, worker - others);
  const buckets = split.keys === 0 ? 1 : bucketsFor(cut.bytes, worker);
  return { rung: 2, table: cut.id, shares, buckets };
}

function exchangeRung(
  { tables, worker }: RungQuestion,
  exchanges: readonly (readonly ExchangedTable[])[],
): Chosen<3> | string {
  const [best] = exchanges
    .map((exchanged) => {
      const ids = new Set(exchanged.map(({ table }) => table));
      const moved = tables.filter(({ id }) => ids.has(id));
      return { exchanged, moved, others: sumOf(tables) - sumOf(moved) };
    })
    .sort((a, b) => a.others - b.others || sumOf(a.moved) - sumOf(b.moved));
  if (best === undefined) return 'no key by which its rows can be kept apart';
  if (best.others > worker * READ_BY_ALL) return tooMuch(best.others, worker, 'every bucket');
  const shares = best.moved.flatMap((table) => sharesOf(table, worker));
  return { rung: 3, tables: best.exchanged, shares, buckets: bucketsFor(sumOf(best.moved), worker) };
}

function tooMuch(others: number, worker: number, each: string): string {
  return `${inGb(others)} of other tables would be read with ${each}, half of a worker is ${inGb(worker * READ_BY_ALL)}`;
}

/** A table without files has a unit all the same: what aggregates nothing can have a row. */
function sharesOf({ id, files }: SizedTable, room: number): readonly MapShare[] {
  const packed = files.length === 0 ? [[]] : packInOrder(files, room, ({ bytes }) => bytes);
  return packed.map((some) => ({ table: id, files: some }));
}

function bucketsFor(bytes: number, worker: number): number {
  return Math.min(MOST_BUCKETS, BUCKETS_PER_UNIT * Math.max(1, Math.ceil(bytes / (worker * REDUCED))));
}

/** Bytes of what units have written that one unit of the merge takes. */
export function reducedBytes(worker: number): number {
  return worker * REDUCED;
}

/** Buckets in their order, as many units as what was written needs. */
export function spansOf(
  buckets: number,
  bytes: number,
  worker: number,
): readonly { readonly from: number; readonly to: number }[] {
  const units = Math.max(1, Math.min(buckets, Math.ceil(bytes / reducedBytes(worker))));
  const at = (nth: number): number => Math.floor((buckets * nth) / units);
  return Array.from({ length: units }, (_, nth) => ({ from: at(nth), to: at(nth + 1) }));
}

const LEAST_ROWS = 2_048;
const MOST_ROWS = 122_880;

/** Rows of a row group, so that a bucket is about two of them. */
export function rowsPerGroup(rows: number, buckets: number): number {
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.ceil(rows / (2 * buckets))));
}

function sumOf(tables: readonly { readonly bytes: number }[]): number {
  return tables.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** As people read it: `38 GB`, `0.5 GB`, `38 MB`. */
export function inGb(bytes: number): string {
  const [size, unit] = bytes >= 1e8 ? [bytes / 1e9, 'GB'] : bytes >= 1e5 ? [bytes / 1e6, 'MB'] : [bytes / 1e3, 'kB'];
  return `${size >= 10 ? Math.round(size) : Number(size.toFixed(1))} ${unit}`;
}
