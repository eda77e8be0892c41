import type { PublishedText } from './implementations.ts';

/** What is known of a model before anything is made of it: what its pipeline declares, and its runs. */
export type ModelFact = {
  /** By full name. */
  readonly model: string;
  readonly pipeline: string;
  readonly layer: 'silver' | 'gold';
  readonly owner: string | null;
  readonly tier: number | null;
  readonly description: string | null;
  /** Sources as `bronze/<pipeline>/<source>`, and tables by full name. */
  readonly inputs: readonly string[];
  /** Its table, its log, and what is exported of it. */
  readonly outputs: readonly string[];
  readonly schedule: string | null;
  /** Which of several texts makes it; left out where there is one. */
  readonly text?: PublishedText;
  /** Of its table. */
  readonly columns: readonly ColumnFact[];
  readonly runs: readonly ModelRun[];
};

/** A column, its type as pipelines write it, and what it is; null where nobody says. */
export type ColumnFact = { readonly name: string; readonly type: string; readonly description: string | null };

/** One run in which the model had work, the earliest first. Instants are ms since the epoch. */
export type ModelRun = {
  readonly run_id: string;
  /** UNDONE: it had no fault in a run that failed. */
  readonly status: 'SUCCEEDED' | 'FAILED' | 'UNDONE';
  readonly finished: number;
  readonly duration_ms: number;
  readonly cost_usd: number | null;
};
