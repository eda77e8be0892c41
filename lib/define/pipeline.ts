import type { MetadataColumn, PartitionField } from '../core/spec.ts';
import type { StepName } from '../core/states.ts';
import type { ColumnTypeText } from './columns.ts';
import type { GoldExpectation, SilverExpectation } from './expectations.ts';
import type { ExportDefinition } from './exports.ts';
import type { TestValue } from './model-test.ts';
import type { ModeDefinition } from './modes.ts';
import type { PromoteDefinition } from './promote.ts';
import type { ScheduleDefinition } from './schedules.ts';
import type { Secret } from './secret.ts';
import type { ServeDefinition } from './serve.ts';
import type { SourceDefinition } from './sources.ts';

type TableOptions = {
  /**
   * How the table's files are split; a query that filters on these columns reads fewer files. Keyed tables (`upsert`,
   * `scd2`) are split by buckets of their key instead.
   */
  readonly partitionBy?: readonly PartitionField[];
  /** Columns by which the rows of a data file are ordered. */
  readonly sortBy?: readonly string[];
  /** Up to four columns along whose Z-order `strata compact` lays rows, so that a query for some values of any one reads fewer files. */
  readonly zorderBy?: readonly string[];
  /** Columns that had another name before, as `{ new: 'old' }`, or several, the latest first: the table renames its own. */
  readonly renamed?: { readonly [column: string]: string | readonly string[] };
  /**
   * Columns that hold what is about a person. Left out: those that follow from personal columns of what the SQL reads, but
   * for counts. Of a silver table it adds to them; of gold it takes their place, so that `[]` says that none is.
   */
  readonly personal?: readonly string[];
  /** The schedule by which it is computed, one of the pipeline's `schedules`: runs of that branch alone do. Left out: every run does. */
  readonly branch?: string;
  /** By which `--select tag:nightly` finds it. */
  readonly tags?: readonly string[];
  /** Files that are written of the table, for those who read no tables. */
  readonly export?: ExportDefinition;
  /** What the table is, for readers. */
  readonly description?: string;
  /**
   * What its columns are, by their names: `{ revenue: 'In euros, without tax.' }`. Left out: what is said of the one column that they are made of,
   * where it has the same name. Readers of the table find it in its schema, in Glue as the comment of the column.
   */
  readonly columns?: { readonly [column: string]: string };
  /** Who answers for the table, where that is not who answers for the pipeline. */
  readonly owner?: string;
  /** How much others depend on the table, where that differs from the pipeline; 1 is the most. */
  readonly tier?: number;
};

export type SilverDefinition<Source extends string = string> = TableOptions & {
  /** Whether a table that is not there yet takes all that its source has had, or only what lands from now on. Default `'auto'`. */
  readonly backfill?: 'auto' | 'never';
  /**
   * Rows whose time is longer ago than this, counted from the run date, are set aside as `TOO_LATE`: `'35d'`. Their time is the sequence of a keyed
   * table, else the date or time that the table is partitioned by. Files that are taken again (`strata backfill`, `reprocess`) are
   * taken whole. Left out: no row is too late.
   */
  readonly closeAfter?: `${number}${'d' | 'y'}`;
  /** The source whose accepted rows become this table's rows. */
  readonly from: Source;
  /**
   * An `.sql` file beside the pipeline, a row-wise map: one SELECT from `batch.<source>` that may LEFT JOIN other silver
   * tables. Left out: `select * from batch.<source>`.
   */
  readonly sql?: `${string}.sql`;
  /** How new rows meet the table. Default `append()`. */
  readonly mode?: ModeDefinition;
  /**
   * Columns that the table has beside the model's own, for mode `append`: where and when each row came from.
   * - `'row_hash'`: SHA-256 of the source row.
   * - `'source_file'`: the file, by its key in the store.
   * - `'attempt'`: how many times the row's business key (the source's `key`) has arrived so far.
   * - `'ingested_at'`, `'run_id'`: the run that added it.
   */
  readonly metadata?: readonly MetadataColumn[];
  /** What must hold before the table is published, by name. A bare string is a row condition with policy `'fail'`. */
  readonly expect?: { readonly [name: string]: SilverExpectation };
};

export type GoldDefinition = TableOptions & {
  /**
   * An `.sql` file beside the pipeline: one SELECT over `silver.<table>` and `gold.<table>`, and over tables of other
   * pipelines as `<pipeline>.<layer>.<table>`. Or several such texts by name, which have the same columns:
   * `{ current: 'gold/x.sql', candidate: 'gold/x_v2.sql' }`. `strata run --shadow` compares them. The names `athena` and `spark` mean
   * texts of these engines.
   */
  readonly sql: `${string}.sql` | { readonly [name: string]: `${string}.sql` };
  /** Of several texts, the one that is published. Default: the first. */
  readonly use?: string;
  /** The same, where what is published is the text of an engine. */
  readonly engine?: 'athena' | 'spark';
  /**
   * What a run computes when an input has changed.
   * - `'full'`: the whole table. Always right.
   * - `'touched'`: the partitions in which rows of the SQL's first table changed; the whole table when another input did.
   *   Needs `partitionBy`, and promises that a row depends on rows of its own partition only: one SELECT whose tables
   *   are all in its FROM, partition columns computed from the first table alone, no window, limit or subquery.
   * Default `'full'`.
   */
  readonly refresh?: 'full' | 'touched';
  /**
   * Where the SQL names `run_date()` or `run_time()`: the table is computed anew on another day, month or year, also when no input
   * has changed. Left out: by the SQL, such as `'month'` for `date_trunc('month', run_date())` alone; `'day'` where that does not tell.
   */
  readonly grain?: 'day' | 'month' | 'year';
  /** What must hold before the table is published, by name. A bare string is a row condition with policy `'fail'`. */
  readonly expect?: { readonly [name: string]: GoldExpectation };
};

export type SettingsDefinition = {
  /** Estimated uncompressed input bytes that one worker takes. Default: what fits the memory of Stage, at most 256 MiB. */
  readonly unitBytes?: number;
  /** Target size of a data file in bytes. Default 128 MiB. */
  readonly fileBytes?: number;
  /** US dollars of an hour of the machine that runs it, where AWS does not. Default 2.50. */
  readonly hourlyRate?: number;
};

/** A span such as `'90s'`, `'15m'`, `'26h'` or `'2d'`. */
export type Span = `${number}${'s' | 'm' | 'h' | 'd'}`;

/** What a function has on AWS. */
export type StepComputeDefinition = {
  /** MB of memory, 512 to 10240; CPU comes with it. Default 3008 for Stage and Merge, 1769 for the others. */
  readonly memory?: number;
  /** At most 15 minutes. Default `'15m'`. */
  readonly timeout?: Span;
  /** MB of /tmp, 512 to 10240, which DuckDB spills to. Default 4096 for Stage and Merge, 2048 for the others. */
  readonly tmp?: number;
  /** Executions at once that are set aside for this function alone. Left out: it shares the account's. */
  readonly reservedConcurrency?: number;
};

/** On AWS only: sizes for all steps, and for single ones. */
export type ComputeDefinition = Omit<StepComputeDefinition, 'reservedConcurrency'> & {
  /** Units that are staged or merged at once; no more than are reserved for Stage or Merge. Default 10, or what is reserved. */
  readonly maxConcurrency?: number;
  /**
   * Percent of a map's units that may fail before the rest is not begun. The run fails all the same when a unit did;
   * more of its units are done then, which a redrive need not do again. Default 0.
   */
  readonly toleratedFailurePercentage?: number;
  readonly steps?: { readonly [step in StepName]?: StepComputeDefinition };
};

/** What is promised of a pipeline, as `strata status` and `strata report` judge it; on AWS alarms watch the first two. */
export type SloDefinition = {
  /** A run has succeeded within this time, 1 hour to 7 days: `'26h'` for a daily pipeline. */
  readonly freshness?: Span;
  /** Percent of the rows read that may be rejected, 0 to 100. */
  readonly quarantineRate?: number;
  /** 95 of 100 runs take no longer: `'40m'`. Judged from 20 runs on. */
  readonly p95?: Span;
  /** Percent of the runs that succeed: `99`. */
  readonly successRate?: number;
  /** From the first failure to the next success, on average: `'60m'`. */
  readonly mttr?: Span;
  /** When the data of a day D are complete, 1 to 7 days later in the pipeline's time zone: `'D+1 01:00'`. */
  readonly ready?: `D+${number} ${number}:${number}`;
  /** Percent of the time in which `freshness` holds, of the days for which `ready` does, of the runs that keep to `quarantineRate`. Default 99. */
  readonly objective?: number;
};

/** When a pipeline stops itself: more than `rows` rows with the same error code within `window`. */
export type BreakerDefinition = {
  /** Default 100. */
  readonly rows?: number;
  /** A span such as `'30m'`, `'1h'` or `'1d'`. Default `'1h'`. */
  readonly window?: Span;
};

export type RetentionDefinition = {
  /** How long condemned rows stay in quarantine, in days or years: `'90d'`, `'7y'`. Default `'7y'`. */
  readonly condemned?: `${number}${'d' | 'y'}`;
  /** How long what is kept of runs stays: what models did, read and wrote, and what columns held. Default `'2y'`. */
  readonly facts?: `${number}${'d' | 'y'}`;
};

/** When tables are looked after by themselves: after runs, and on a schedule. What is removed is a week old or older. */
export type MaintenanceDefinition = {
  /** On AWS: `'rate(1 day)'` or `'cron(0 6 * * ? *)'` (UTC), beside what follows runs. */
  readonly schedule?: `rate(${string})` | `cron(${string})`;
  /** Runs that have to end between one maintenance and the next. Default 20. */
  readonly everyRuns?: number;
  /** Small files by which a table has grown before it is compacted. Default 16. */
  readonly compactAfter?: number;
  /** Percent of a table's rows that are deleted by position before it is compacted. Default 10. */
  readonly compactDeleted?: number;
  /** Manifests that a table has before they are merged. Default 100. */
  readonly manifestsAfter?: number;
  readonly expire?: {
    /** Snapshots past their age that a table has before they are forgotten. Default 20. */
    readonly after?: number;
    /** Their age, 168h or more. Default `'168h'`. */
    readonly olderThan?: Span;
    /** The latest snapshots of a table that stay, however old. Default 5. */
    readonly keep?: number;
  };
  readonly vacuum?: {
    /** Default `'24h'`. */
    readonly every?: Span;
    /** How long plans and results of runs stay, 7 days or more. Default `'30d'`. */
    readonly keepRuns?: Span | `${number}y`;
  };
};

/** Who is told of a run that failed, beside the log and, on AWS, the topic. */
export type AlertsDefinition = {
  /**
   * Each alert is posted there: `'slack'` as Slack's incoming webhooks take it, `'json'` as `{ subject, message }`. The URL is a
   * secret: `secret('OPS_WEBHOOK')`. Default `'json'`.
   */
  readonly webhook: { readonly url: Secret; readonly format?: 'json' | 'slack' };
};

/** Where what runs did is told as OpenLineage events: https://openlineage.io */
export type OpenLineageDefinition = {
  /**
   * `'https://marquez.example.com'`, where events are posted to `/api/v1/lineage` unless it has a path, or `'eventbridge:<name or ARN of a bus>'`. A
   * run ends as it does whether they arrive or not; those that did not are sent with the next.
   */
  readonly to: string;
  /** Sent as a bearer token: `secret('LINEAGE_KEY')`. */
  readonly key?: Secret;
  /** Of jobs and datasets. Left out: where the lake is. */
  readonly namespace?: string;
};

/** A value that a run may be given in place of its default. */
export type VarDefinition = {
  readonly type: ColumnTypeText;
  /** What it is unless a run is given another; text for decimals, dates and times, null for NULL. */
  readonly default: TestValue;
  /** What it may be, beside NULL; left out: any value of the type. */
  readonly in?: readonly TestValue[];
  /** What it decides, for readers. */
  readonly description?: string;
};

export type PipelineDefinition<Source extends string = string> = {
  /** The name of the pipeline's folder: lower case letters, digits and `_`. */
  readonly name: string;
  /** Who answers for the data. */
  readonly owner?: string;
  /** How much others depend on it; 1 is the most. */
  readonly tier?: number;
  readonly description?: string;
  /** When it runs by itself: `'rate(1 day)'` or `'cron(0 6 * * ? *)'` (UTC). Left out: when files land or on demand. */
  readonly schedule?: `rate(${string})` | `cron(${string})`;
  /**
   * Schedules of parts of it, by names that models, sources and exports give as their `branch`: each is run once in a period, by
   * `strata run <pipeline> --branch <name>`, `strata schedule run` or, on AWS, by itself. `{ monthly: cron('0 7 1 * *') }`
   */
  readonly schedules?: { readonly [branch: string]: ScheduleDefinition | string };
  /** The time zone in which `run_date()` is a day, by its IANA name: `'Europe/Berlin'`. Default `'UTC'`. */
  readonly timezone?: string;
  /** Pipelines after whose runs it runs, beside its schedule: those whose tables its gold reads, for one. */
  readonly after?: string | readonly string[];
  /**
   * What a run does when the SQL, the contract or the rules of a silver table have changed since its rows were made:
   * `'stop'` and ask, `'backfill'` the table from bronze, or go `'forward'` and leave the rows as they are. Default `'stop'`.
   */
  readonly onChange?: 'stop' | 'backfill' | 'forward';
  readonly settings?: SettingsDefinition;
  readonly compute?: ComputeDefinition;
  readonly slo?: SloDefinition;
  /** Halts the pipeline, before anything is published, when too many rows are rejected. Left out: never. */
  readonly breaker?: BreakerDefinition;
  /** Who or what lets a run through once it is prepared, before anything is published. Left out: nobody has to. */
  readonly promote?: PromoteDefinition;
  readonly retention?: RetentionDefinition;
  readonly alerts?: AlertsDefinition;
  /** Who is told what each run read and wrote. Left out: nobody. */
  readonly openlineage?: OpenLineageDefinition;
  /** What is served outside the lake whenever a run has published. */
  readonly serve?: ServeDefinition;
  /**
   * On AWS a run that uploads started takes the files that their events named. All of bronze is compared with what is known as often
   * as `reconcile` says, from `'1m'` to `'24h'`, and by every run on a schedule or by hand. Default `{ reconcile: '24h' }`.
   */
  readonly discover?: { readonly reconcile?: Span };
  /** Left out: by the defaults. `false`: only when it is asked for. */
  readonly maintenance?: false | MaintenanceDefinition;
  /** Variables that SQL names as `var('name')`: `strata run shop --vars min_amount=5` gives one another value for that run. */
  readonly vars?: { readonly [name: string]: VarDefinition };
  /** Files of one shape each, under `bronze/<pipeline>/<source>/`. `{}` where gold is made of other pipelines alone. */
  readonly sources: { readonly [name in Source]: SourceDefinition };
  /** Clean tables, each a row-wise map of one source. */
  readonly silver?: { readonly [table: string]: SilverDefinition<NoInfer<Source>> };
  /** Answers: SQL over silver and other gold tables. Their order follows from what they read. */
  readonly gold?: { readonly [table: string]: GoldDefinition };
};

/** Declares a pipeline: the default export of `pipelines/<name>/pipeline.ts`. Plain data; mistakes are reported by compilation. */
export function definePipeline<const Source extends string>(
  definition: PipelineDefinition<Source>,
): PipelineDefinition<Source> {
  return definition;
}
