import type { PipelineFacts } from '../../core/page-facts.ts';

/** What a page is made of: what is known of each pipeline of a lake. */
export type PageFacts = {
  readonly lake: string;
  /** In ms since the epoch. */
  readonly now: number;
  readonly days: number;
  readonly pipelines: readonly PipelineFacts[];
  /** Beginnings of the ids of two sets of runs that are compared; left out: none are. */
  readonly compared?: { readonly before: string; readonly after: string };
  readonly glue: GluePrices;
};

/** The smallest Spark job of AWS Glue. */
export type GluePrices = {
  readonly region: string;
  readonly checked: string;
  readonly dpuHour: number;
  readonly dpus: number;
  /** What the shortest job is billed as. */
  readonly seconds: number;
};
