import type { ColumnOrigins } from './column-origins.ts';
import type { Grain } from './run-date.ts';
import type { TableRef } from './table-ref.ts';

/**
 * What is computed when an input has changed. `full`: the whole table. `touched`: a row of the model depends only on the
 * rows of `driver` that have its values in the partition columns, and on the model's other inputs. `sql` is a SELECT
 * DISTINCT of the columns of `partitionBy`, before their transforms, over `driver` alone: run over its changed files, it
 * says which partitions to compute again. Another input that has changed means the whole table.
 */
export type GoldRefresh =
  | { readonly kind: 'full' }
  | { readonly kind: 'touched'; readonly driver: TableRef; readonly sql: string };

/** Engines beside DuckDB to which a gold model may be handed; as names of texts they say in whose words a text is. */
export const ENGINES = ['athena', 'spark'] as const;
export type EngineName = (typeof ENGINES)[number];

/** What a text decides about a gold model. */
export type Computing = {
  readonly sql: string;
  readonly sqlFile: string | null;
  readonly reads: readonly TableRef[];
  readonly readsLogs: readonly TableRef[];
  readonly refresh: GoldRefresh;
  readonly origins?: ColumnOrigins;
  readonly dueBy?: Grain;
  readonly vars?: Readonly<Record<string, string | null>>;
};

/** One of several texts of a gold model, all of which make the same columns. */
export type Implementation = Computing & {
  readonly name: string;
  /**
   * Present: the text is in the words of this engine, and nobody has read it. What it reads is what the first DuckDB text of the
   * model reads.
   */
  readonly engine?: EngineName;
};

/** The texts of a gold model that has several, in the order of its definition. The model itself is as `use` makes it. */
export type Implementations = {
  readonly use: string;
  readonly texts: readonly Implementation[];
  /** Present: the lake says that this one is used. */
  readonly chosen?: Chosen;
};

/** Why another text makes the table than the definition says: who decided so, when and why. */
export type Chosen = {
  readonly declared: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
};

export function isEngine(name: string): name is EngineName {
  return ENGINES.some((engine) => engine === name);
}
