/** The rung of the ladder that a gold model is on, by what its inputs have now. */
export type ExplainedRung = {
  /** Null: the inputs are more than a worker takes, and no rung is for such SQL. One worker tries. */
  readonly rung: 1 | 2 | 3 | null;
  readonly input_bytes: number;
  readonly worker_bytes: number;
  /** Of staging, and of the merge, as far as that shows before. */
  readonly units: number;
  readonly merge_units: number;
  readonly because: string;
  /** What can be done where no rung is for it. */
  readonly remedy: string | null;
  /** What computing all of the table takes on AWS. */
  readonly cost: RungCost;
};

export type RungCost = { readonly seconds: number; readonly usd: number };

/** A gold table of a plan; left out for others, and where only partitions of it are computed. */
export type OnRung = { readonly rung?: ExplainedRung };
