import type { Bench, Measured } from './bench.ts';
import { measureClicks } from './clicks/measure.ts';
import { measureCommand } from './command/measure.ts';
import { measureCommits } from './commits/measure.ts';
import { measureCompaction } from './compaction/measure.ts';
import { measureDiff } from './diff/measure.ts';
import { measureEvents, measureGrowth } from './events/measure.ts';
import { measureFacts } from './facts/measure.ts';
import { measureForgetting } from './forgetting/measure.ts';
import { measureIdle } from './idle/measure.ts';
import { measureIncrement } from './increment/measure.ts';
import { measureHistory } from './keyed/history.ts';
import { measureKeyed } from './keyed/measure.ts';
import { measureSizes } from './keyed/sizes.ts';
import { measureLadder } from './ladder/measure.ts';
import { measureLarge } from './large/measure.ts';
import { measureLife } from './life/measure.ts';
import { measureOnRead } from './on-read/measure.ts';
import { measureOpening } from './opening/measure.ts';
import { measureDedupe } from './orders/dedupe.ts';
import { measureFilter } from './orders/filter.ts';
import { measurePlanning } from './planning/measure.ts';
import { measureReads } from './reads/measure.ts';
import { measureRetail } from './retail/measure.ts';
import { measureSales } from './sales/measure.ts';
import { measureServing } from './serving/measure.ts';
import { measureStatus } from './status/measure.ts';
import { measureTopics } from './topics/measure.ts';

export type Measurement = {
  /** Of its section in the results. */
  readonly title: string;
  readonly measure: (bench: Bench) => Promise<Measured>;
};

/** By the name that `--only` takes, in the order of the results. */
export const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  retail: { title: 'Retail', measure: measureRetail },
  sales: { title: 'Sales', measure: measureSales },
  events: { title: 'One CSV file', measure: measureEvents },
  growth: { title: 'Ten times the rows', measure: measureGrowth },
  clicks: { title: 'Many files and a hot key', measure: measureClicks },
  commits: { title: 'Commits', measure: measureCommits },
  planning: { title: 'Planning', measure: measurePlanning },
  large: { title: 'One large file', measure: measureLarge },
  opening: { title: 'Opening', measure: measureOpening },
  keyed: { title: 'Merges', measure: measureKeyed },
  history: { title: 'A history by default', measure: measureHistory },
  sizes: { title: 'Histories of three sizes', measure: measureSizes },
  'on-read': { title: 'Merges on read', measure: measureOnRead },
  compaction: { title: 'Compaction', measure: measureCompaction },
  forgetting: { title: 'Forgetting', measure: measureForgetting },
  life: { title: 'Life', measure: measureLife },
  dedupe: { title: 'Dedupe', measure: measureDedupe },
  filter: { title: 'Filter', measure: measureFilter },
  reads: { title: 'Reads of one partition', measure: measureReads },
  idle: { title: 'Nothing new', measure: measureIdle },
  command: { title: 'Commands', measure: measureCommand },
  status: { title: 'Status', measure: measureStatus },
  increment: { title: 'Ten thousand rows more', measure: measureIncrement },
  facts: { title: 'Facts of runs', measure: measureFacts },
  serving: { title: 'Serving', measure: measureServing },
  diff: { title: 'Diff', measure: measureDiff },
  ladder: { title: 'The ladder', measure: measureLadder },
  topics: { title: 'Topics', measure: measureTopics },
};
