import { availableParallelism } from 'node:os';

/** What every side may use. */
export const MEMORY_BYTES = 2_000_000_000;
/** What DuckDB has in a run whose memory has a bound: it follows from this setting, and not from the input. Other sides have all. */
export const BOUNDED = ['--memory', '250MB'] as const;
export const THREADS = availableParallelism();

/** Of tables in the manner of TPC-H, and the bytes that each worker has to answer questions over them. */
export type Ladder = { readonly scale: number; readonly worker: number };

/** Sizes of the generated inputs. */
export type Sizes = {
  readonly transactions: number;
  readonly customers: number;
  readonly products: number;
  readonly events: number;
  /** Rows of the sample sales, of 14 days of `salesFiles` files. */
  readonly sales: number;
  readonly salesFiles: number;
  readonly clicks: number;
  readonly clickFiles: number;
  readonly commits: number;
  readonly waitingFiles: number;
  /** Gigabytes of one CSV file. */
  readonly largeFile: number;
  /** Files that a ledger has. */
  readonly ledgerFiles: number;
  /** Rows of the history that keyed merges go into. */
  readonly history: number;
  /** Of a table of which a run touches one. */
  readonly partitions: number;
  /** For all questions together, and for each of them. */
  readonly ladder: Ladder & { readonly each: Ladder };
  /** Runs of a pipeline, one small file each. */
  readonly runs: number;
  /** Of a topic; a consumer is killed for every 5,000. */
  readonly messages: number;
};

export const FULL: Sizes = {
  transactions: 1_000_000,
  customers: 50_000,
  products: 1_000,
  events: 5_500_000,
  sales: 20_000_000,
  salesFiles: 120,
  clicks: 20_000_000,
  clickFiles: 2_000,
  commits: 502,
  waitingFiles: 10_000,
  largeFile: 8,
  ledgerFiles: 5_000_000,
  history: 10_000_000,
  partitions: 1_000,
  ladder: { scale: 10, worker: 512_000_000, each: { scale: 3, worker: 80_000_000 } },
  runs: 1_000,
  messages: 1_000_000,
};

/** For development: a tenth of everything. */
export const QUICK: Sizes = {
  transactions: 100_000,
  customers: 5_000,
  products: 100,
  events: 550_000,
  sales: 2_000_000,
  salesFiles: 12,
  clicks: 2_000_000,
  clickFiles: 200,
  commits: 52,
  waitingFiles: 1_000,
  largeFile: 1,
  ledgerFiles: 500_000,
  history: 1_000_000,
  partitions: 100,
  ladder: { scale: 0.1, worker: 80_000_000, each: { scale: 0.1, worker: 80_000_000 } },
  runs: 100,
  messages: 100_000,
};
