export type CostLine = {
  readonly service: 'Lambda' | 'Step Functions' | 'S3';
  readonly item: string;
  readonly quantity: number;
  readonly unit: string;
  readonly usd: number;
};

/** What a run costs on AWS, in US dollars: transfers, logs, keys, the Glue catalog's and the triggers' cents are left out. */
export type EstimatedCost = {
  readonly region: string;
  /** The day of the price table. */
  readonly prices_checked: string;
  readonly lines: readonly CostLine[];
  readonly usd: number;
};

/** What a finished run has cost; `requests` says whether those to S3 were counted, or assumed as before a run. */
export type RunCost = EstimatedCost & { readonly requests: 'counted' | 'assumed' };

/** What a compaction would take: how long, with workers side by side, and what it costs. */
export type CompactionCost = EstimatedCost & { readonly seconds: number };
