/** What figures about runs are made of: one run of a pipeline that has ended. Instants are ms since the epoch. */
export type RunFact = {
  readonly run_id: string;
  readonly succeeded: boolean;
  readonly started: number;
  readonly finished: number;
  readonly duration_ms: number;
  readonly error: string | null;
  /** Rows; left out where nobody has asked, or where the run has no account. */
  readonly read?: number;
  readonly rejected?: number;
  /** US dollars; left out where it was not measured. */
  readonly cost_usd?: number;
  /** By which it was counted. */
  readonly cost_rate?: string;
};
