/** What a table of each mode has after files of changing columns, told row by row and on its own. */

export type ContractColumn =
  | string
  | {
      readonly type: string;
      readonly renamedFrom?: string | readonly string[];
      readonly default?: string;
      readonly required?: boolean;
    };
export type ContractColumns = Readonly<Record<string, ContractColumn>>;
export type Value = string | number | null;
export type Batch = { readonly header: readonly string[]; readonly rows: readonly (readonly Value[])[] };
export type TableRow = Readonly<Record<string, Value | boolean>>;
export type ColumnsOfTable = { readonly columns: readonly string[]; readonly rows: readonly TableRow[] };
export type TableMode = 'append' | 'replace' | 'full' | 'upsert' | 'scd2';

type Arrival = {
  readonly state: ColumnsOfTable;
  readonly columns: ContractColumns;
  readonly batches: readonly Batch[];
  /** A column that the contract lacks stays in the table. */
  readonly keeps: boolean;
};

function formerNames(column: ContractColumn | undefined): readonly string[] {
  return typeof column === 'object' ? [column.renamedFrom ?? []].flat() : [];
}

/** A row of a file by the contract: null for one that the contract rejects. */
function readRow(columns: ContractColumns, header: readonly string[], values: readonly Value[]): TableRow | null {
  const row: Record<string, Value> = {};
  for (const [name, column] of Object.entries(columns)) {
    const at = [name, ...formerNames(column)].map((one) => header.indexOf(one)).find((place) => place >= 0);
    const { default: missing = null, required = false } = typeof column === 'string' ? {} : column;
    const value = at === undefined ? missing : (values[at] ?? null);
    if (required && value === null) return null;
    row[name] = value;
  }
  return row;
}

export function expectedRows(mode: TableMode, { state, columns, batches, keeps }: Arrival): ColumnsOfTable {
  const names = Object.keys(columns);
  const nowOf = (name: string): string =>
    state.columns.includes(name) ? (names.find((one) => formerNames(columns[one]).includes(name)) ?? name) : name;
  const before = state.columns.map(nowOf);
  let rows: readonly TableRow[] = state.rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [nowOf(name), value])),
  );
  const has = (first: string): string =>
    names.find((one) => one === first || formerNames(columns[one]).includes(first)) ?? first;
  const [id, q] = [has('id'), has('q')];
  for (const batch of batches) {
    const read = batch.rows.map((values) => readRow(columns, batch.header, values)).filter((row) => row !== null);
    rows = mode === 'full' ? read : meet(mode, rows, read, { id, q });
  }
  const interval = mode === 'scd2' ? ['valid_from', 'valid_to', 'is_current'] : [];
  const kept = keeps ? before.filter((name) => !names.includes(name) && !interval.includes(name)) : [];
  const all = [...names, ...kept, ...interval];
  const full = rows.map((row) => Object.fromEntries(all.map((name) => [name, row[name] ?? null])));
  return { columns: all, rows: full };
}

type Key = { readonly id: string; readonly q: string };

function meet(
  mode: TableMode,
  rows: readonly TableRow[],
  read: readonly TableRow[],
  { id, q }: Key,
): readonly TableRow[] {
  if (mode === 'append') return [...rows, ...read];
  if (mode === 'replace') {
    const ids = new Set(read.map((row) => row[id]));
    return [...rows.filter((row) => !ids.has(row[id] ?? null)), ...read];
  }
  const all = [...rows, ...read].toSorted((a, b) => Number(a[q]) - Number(b[q]));
  const byKey = Map.groupBy(all, (row) => row[id]);
  return [...byKey.values()].flatMap((events) => {
    if (mode === 'upsert') return events.slice(-1);
    return events.map((row, i) => ({
      ...row,
      valid_from: row[q] ?? null,
      valid_to: events[i + 1]?.[q] ?? null,
      is_current: i === events.length - 1,
    }));
  });
}
