import type { ExpectationPolicy } from '../core/spec.ts';

/** What a broken table-level expectation does: `'fail'` publishes nothing, `'warn'` publishes and reports. */
export type TablePolicy = Exclude<ExpectationPolicy, 'drop'>;

type RowRule<Policy extends ExpectationPolicy> = {
  /** What a row does where its condition is false. `'drop'` sends it to quarantine. Default `'fail'`. */
  readonly policy?: Policy;
  /** The error code of a dropped row, such as `'NEGATIVE_PRICE'`. Default: the expectation's name in upper case. */
  readonly code?: string;
};

/** An SQL condition that must hold for every row; NULL passes. `sql` is another name for `condition`. */
export type RowExpectation<Policy extends ExpectationPolicy = ExpectationPolicy> = RowRule<Policy> &
  ({ readonly condition: string; readonly sql?: never } | { readonly sql: string; readonly condition?: never });

export type UniqueExpectation = {
  readonly kind: 'unique';
  readonly columns: readonly string[];
  readonly policy?: TablePolicy;
};

export type RowCountExpectation = {
  readonly kind: 'rowCount';
  /** The fewest rows allowed. */
  readonly min?: number;
  /** The most rows allowed. */
  readonly max?: number;
  readonly policy?: TablePolicy;
};

export type QueryExpectation = { readonly kind: 'query'; readonly query: string; readonly policy?: TablePolicy };

/**
 * One expectation. A bare string is a row condition with policy `'fail'`: a rule that was declared and does not hold
 * must not reach readers unless someone chose that, and no row may be lost by default. (dbt's tests do the same; Delta
 * Live Tables would warn.)
 */
export type SilverExpectation = string | RowExpectation | UniqueExpectation | RowCountExpectation | QueryExpectation;

/** As in silver, without `'drop'`: a gold row comes from many source rows, so there is none to quarantine. */
export type GoldExpectation =
  | string
  | RowExpectation<TablePolicy>
  | UniqueExpectation
  | RowCountExpectation
  | QueryExpectation;

/** No two rows of the table are equal in these columns. To warn only: `{ ...unique('id'), policy: 'warn' }`. */
export function unique(...columns: readonly [string, ...string[]]): UniqueExpectation {
  return { kind: 'unique', columns };
}

/** The table has between `min` and `max` rows, both allowed. */
export function rowCount(limits: Omit<RowCountExpectation, 'kind'>): RowCountExpectation {
  return { ...limits, kind: 'rowCount' };
}

/** SQL that returns the offending rows; `this` is the table: `query('select id from this group by id having ...')`. */
export function query(sql: string, options: { readonly policy?: TablePolicy } = {}): QueryExpectation {
  return { ...options, kind: 'query', query: sql };
}
