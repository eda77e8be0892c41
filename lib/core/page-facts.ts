import type { ColumnFact } from './model-fact.ts';
import type { KeptProfile } from './profile.ts';
import type { StatusFacts } from './status-facts.ts';
import type { TestFact } from './test-fact.ts';

/** What a page shows of a pipeline. */
export type PipelineFacts = {
  readonly status: StatusFacts;
  readonly description: string | null;
  /** Sources, and tables after those that they are made from. */
  readonly nodes: readonly LineageNode[];
  readonly tests: readonly TestFact[];
  /** Of runs in the days of the page. */
  readonly models: readonly ModelFigures[];
  readonly before: readonly ModelFigures[];
  readonly after: readonly ModelFigures[];
  readonly rejected: readonly { readonly day: string; readonly code: string; readonly rows: number }[];
  /** What the latest run that wrote a table says of its columns; without those that are personal. */
  readonly quality: readonly ColumnQuality[];
  /** Of the latest run that was profiled; null where none was. */
  readonly profile: KeptProfile | null;
  /** The columns with the most nulls, by day. */
  readonly nulls: readonly { readonly day: string; readonly column: string; readonly percent: number }[];
};

export type LineageNode = {
  /** A table by full name, or `<pipeline>.<source>`. */
  readonly name: string;
  readonly kind: 'source' | 'silver' | 'gold' | 'elsewhere';
  /** Each is made from nodes of lower levels; sources have level 0. */
  readonly level: number;
  readonly reads: readonly string[];
  readonly description: string | null;
  /** Of the table as it is; null where there is none. */
  readonly rows: number | null;
  readonly updated: string | null;
  /** As SQL sees them; without those that are personal. */
  readonly columns: readonly NodeColumn[];
};

export type NodeColumn = ColumnFact & {
  /** The columns that it is made of, each behind the name of its node: `shop.orders.amount`; without those that are personal. */
  readonly from: readonly string[];
};

/** Times are in ms; what no run knows is null. */
export type ModelFigures = {
  /** By the id of the model: `silver.sales`. */
  readonly model: string;
  readonly runs: number;
  readonly failed: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly rows_out: number | null;
  readonly cost_usd: number | null;
};

export type ColumnQuality = {
  readonly table: string;
  readonly column: string;
  readonly rows: number;
  readonly nulls: number | null;
  /** Of a column of a key; null of others. */
  readonly key_ok: boolean | null;
};
