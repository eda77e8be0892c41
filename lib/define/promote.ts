/** What a table has to be like beside what of it is published, for a run to be published without a person. */
export type TableConditionDefinition = {
  /** Of which: `'gold.revenue'`, `'silver.orders'`. */
  readonly table: `gold.${string}` | `silver.${string}`;
  /** Columns that tell rows apart: no key may be gone. */
  readonly keys?: readonly string[];
  /** Columns whose sums over all rows may differ by `tolerance` from those that are published. */
  readonly measures?: readonly string[];
  /** Percent. Default 10. */
  readonly tolerance?: number;
};

/** What has to happen before the tables of a run are published. Dry runs publish nothing, and wait for nobody. */
export type PromoteDefinition = {
  /**
   * `'manual'`: a person approves every run. `{ auto: [...] }`: one that meets all conditions publishes, and about the others a person
   * decides. A table that has not been published yet meets none.
   */
  readonly gate: 'manual' | { readonly auto: readonly TableConditionDefinition[] };
  /** Percent of the records read that may be rejected. Left out: any. */
  readonly maxQuarantineRate?: number;
  /** Error codes of which no record may be rejected: `['DUPLICATE_FAILURE']`. */
  readonly forbid?: readonly string[];
  /** After which a run that nobody has decided about is rejected, `'1h'` to `'14d'`. Default `'7d'`. */
  readonly expires?: `${number}${'h' | 'd'}`;
};
