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

/** Accounting closes when every row read has exactly one fate. */
export function accountsClose(c: RowCounts): boolean {
  return c.read === c.accepted + c.quarantined + c.condemned + c.duplicates;
}
