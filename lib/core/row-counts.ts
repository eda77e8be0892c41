export type RowCounts = {
  readonly read: number;
  readonly accepted: number;
  readonly quarantined: number;
  readonly condemned: number;
  readonly duplicates: number;
};

export const NO_ROWS: RowCounts = { read: 0, accepted: 0, quarantined: 0, condemned: 0, duplicates: 0 };

export function addCounts(a: RowCounts, b: RowCounts): RowCounts {
  return {
    read: a.read + b.read,
    accepted: a.accepted + b.accepted,
    quarantined: a.quarantined + b.quarantined,
    condemned: a.condemned + b.condemned,
    duplicates: a.duplicates + b.duplicates,
  };
}

/**
 * The account of a source. `tables`: its tables count differently, and each has an account of its own, by full name; that of the source
 * says what its contract made of the rows then, accepted are those that came to the tables' own rules.
 */
export type SourceCounts = RowCounts & { readonly tables?: Readonly<Record<string, RowCounts>> };

/** Of sources whose tables count differently, the account of the table that kept back most rows. */
export function worstOf({ tables, ...counts }: SourceCounts): RowCounts {
  const keptBack = (c: RowCounts): number => c.quarantined + c.condemned;
  return Object.values(tables ?? {}).reduce((a, b) => (keptBack(b) > keptBack(a) ? b : a), counts);
}

/** Accounting closes when every row read has exactly one fate. */
export function accountsClose(c: RowCounts): boolean {
  return c.read === c.accepted + c.quarantined + c.condemned + c.duplicates;
}
