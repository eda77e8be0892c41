import type { ModelMode, PartitionField } from '../core/spec.ts';
import type { GoldExpectation, SilverExpectation } from './expectations.ts';
import type { SourceDefinition } from './sources.ts';

type TableOptions = {
  /** How the table's files are split; a query that filters on these columns reads fewer files. */
  readonly partitionBy?: readonly PartitionField[];
  /** Columns by which the rows of a data file are ordered. */
  readonly sortBy?: readonly string[];
  /** What the table is, for readers. */
  readonly description?: string;
};

export type SilverDefinition<Source extends string = string> = TableOptions & {
  /** The source whose accepted rows become this table's rows. */
  readonly from: Source;
  /**
   * An `.sql` file beside the pipeline, a row-wise map: one SELECT from `batch.<source>` that may LEFT JOIN other silver
   * tables. Left out: `select * from batch.<source>`.
   */
  readonly sql?: `${string}.sql`;
  /** How new rows meet the table. Default `append()`. */
  readonly mode?: ModelMode;
  /** What must hold before the table is published, by name. A bare string is a row condition with policy `'fail'`. */
  readonly expect?: { readonly [name: string]: SilverExpectation };
};

export type GoldDefinition = TableOptions & {
  /** An `.sql` file beside the pipeline: one SELECT over `silver.<table>` and `gold.<table>`. */
  readonly sql: `${string}.sql`;
  /** What must hold before the table is published, by name. A bare string is a row condition with policy `'fail'`. */
  readonly expect?: { readonly [name: string]: GoldExpectation };
};

export type SettingsDefinition = {
  /** Estimated uncompressed input bytes that one worker takes. Default 512 MiB. */
  readonly unitBytes?: number;
  /** Target size of a data file in bytes. Default 128 MiB. */
  readonly fileBytes?: number;
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
  readonly settings?: SettingsDefinition;
  /** Files of one shape each, under `bronze/<pipeline>/<source>/`. */
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
