import { quoteName } from '../lib/sql/quote.ts';

/** What two sides must agree on for one table. */
export type FingerprintSpec = {
  readonly table: string;
  /** Columns that tell rows apart; none of a table whose rows may be equal. */
  readonly key: readonly string[];
  /** Numbers that are added up. */
  readonly measures: readonly string[];
  /** Texts, of which numbers that stand for them are added up. */
  readonly texts?: readonly string[];
};

/** Rows, different keys and sums, as text so that no digit is lost. */
export type Fingerprint = {
  readonly table: string;
  readonly rows: string;
  readonly keys: string;
  readonly sums: Readonly<Record<string, string>>;
};

/**
 * SELECT of one row: `rows`, `keys` and a sum per measure named `sum_<measure>`. Values are rounded to
 * six decimals and then added exactly: a sum of floating point numbers would depend on the order of adding.
 */
export function renderFingerprint(spec: FingerprintSpec, from: string): string {
  const key = `struct_pack(${spec.key.map((name) => `${quoteName(name)} := ${quoteName(name)}`).join(', ')})`;
  const sumOf = (name: string, value: string): string =>
    `coalesce(CAST(sum(CAST(${value} AS DECIMAL(38,6))) AS VARCHAR), 'null') AS ${quoteName(`sum_${name}`)}`;
  const sums = [
    ...spec.measures.map((name) => sumOf(name, quoteName(name))),
    ...(spec.texts ?? []).map((name) => sumOf(name, `(hash(${quoteName(name)}) % 1000000007)`)),
  ];
  return `SELECT ${[
    'CAST(count(*) AS VARCHAR) AS rows',
    `CAST(${spec.key.length === 0 ? 'count(*)' : `count(DISTINCT ${key})`} AS VARCHAR) AS keys`,
    ...sums,
  ].join(', ')} FROM ${from}`;
}

/** Reads the row that `renderFingerprint` selects. */
export function parseFingerprint(spec: FingerprintSpec, row: Readonly<Record<string, unknown>>): Fingerprint {
  return {
    table: spec.table,
    rows: String(row['rows']),
    keys: String(row['keys']),
    sums: Object.fromEntries(
      [...spec.measures, ...(spec.texts ?? [])].map((name) => [name, String(row[`sum_${name}`])]),
    ),
  };
}

/** Every difference in words; none means that both sides made the same tables and that every key is unique. */
export function compareFingerprints(ours: readonly Fingerprint[], theirs: readonly Fingerprint[]): readonly string[] {
  const problems: string[] = [];
  const other = new Map(theirs.map((one) => [one.table, one]));
  if (ours.length !== theirs.length) problems.push(`${ours.length} tables against ${theirs.length}`);
  for (const one of ours) {
    if (one.rows !== one.keys) problems.push(`${one.table}: ${one.rows} rows have ${one.keys} different keys`);
    const two = other.get(one.table);
    if (two === undefined) problems.push(`${one.table}: only on one side`);
    else if (renderSums(one) !== renderSums(two)) {
      problems.push(`${one.table}: got ${renderSums(one)}; expected ${renderSums(two)}`);
    }
  }
  return problems;
}

/** `1000 rows, 1000 keys, revenue 12.50, units 7`. */
export function renderSums(one: Fingerprint): string {
  const sums = Object.entries(one.sums).map(([name, sum]) => `${name} ${sum}`);
  return [`${one.rows} rows`, `${one.keys} keys`, ...sums].join(', ');
}
