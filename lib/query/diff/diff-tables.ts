import { InvalidInput } from '../../core/errors.ts';
import { fullName } from '../../core/tables.ts';
import type { Compare } from '../../lake/compare/compare-rows.ts';
import { type Sums, sumsOf } from '../../lake/compare/sums.ts';
import type { Compared } from '../../sql/diff/by-key.ts';
import { maskedColumns } from '../masked-columns.ts';
import { type Comparing, compareFiles } from './compare.ts';
import { differingFiles, rowsIn } from './differing-files.ts';
import { type ColumnChanges, columnsDiffer, type MatchedColumn, matchColumns } from './match-columns.ts';
import {
  type Duplicates,
  describeChanged,
  describeDuplicates,
  describeRows,
  type SampledChange,
  type SampledRow,
} from './samples.ts';
import { type DescribedSide, describeSide, isOneTable, type Side, schemaOf } from './side.ts';
import { type Tolerances, toleranceOf } from './tolerance.ts';

export type DiffRequest = {
  /** By which rows are paired; null: they are compared as they are. */
  readonly key: readonly string[] | null;
  readonly tolerances: Tolerances;
  /** Columns that are not compared. */
  readonly ignore: readonly string[];
  /** How many rows of each kind are shown. */
  readonly sample: number;
};

/** In what two tables, or one at two moments, are not the same. */
export type TableDiff = {
  readonly equal: boolean;
  readonly from: DescribedSide;
  readonly to: DescribedSide;
  readonly key: readonly string[] | null;
  readonly columns: ColumnChanges & { readonly ignored: readonly string[] };
  /** `shared`: rows of files that both have, which were not read. `changed` is null without a key. */
  readonly rows: {
    readonly from: number;
    readonly to: number;
    readonly shared: number;
    readonly added: number;
    readonly removed: number;
    readonly changed: number | null;
  };
  /** Data files that were read of each side, and those that both have. */
  readonly files: { readonly from: number; readonly to: number; readonly shared: number };
  /** Null: no key that was read comes more than once, or there is no key. */
  readonly duplicates: Duplicates | null;
  readonly values: readonly ComparedValues[];
  readonly sample: {
    readonly added: readonly SampledRow[];
    readonly removed: readonly SampledRow[];
    readonly changed: readonly SampledChange[];
  };
  /** Columns whose values are not shown. */
  readonly masked: readonly string[];
};

export type ComparedValues = {
  readonly column: string;
  /** Rows in which it has changed; null for the key, and without one. */
  readonly changed: number | null;
  readonly tolerance: string | null;
  /** Of the rows that were read; null for what is no number, and for what is masked. */
  readonly sum: Sums | null;
};

/** Compares two sides. Throws InvalidInput for a key or a tolerance that names no column of both, and where they share none. */
export async function diffSides(from: Side, to: Side, request: DiffRequest): Promise<TableDiff> {
  const matched = matchColumns(schemaOf(from), schemaOf(to), isOneTable(from, to) ? 'id' : 'name');
  const left = [...request.ignore, ...(isOneTable(from, to) ? [] : ofRuns(from, to))];
  const ignored = matched.columns.filter(({ name }) => isNamed(left, name));
  const columns = matched.columns.filter((column) => !ignored.includes(column));
  if (columns.length === 0) {
    throw new InvalidInput(
      `${fullName(from.id)} and ${fullName(to.id)} have no column in common that could be compared: got none; expected tables of one shape`,
    );
  }
  const comparing = comparingOf([from, to], columns, request);
  const files = await differingFiles(from, to);
  const answer = await compareFiles({ from, to }, files, comparing);
  const shared = Number(await rowsIn(to, files.shared));
  const result = resultOf(comparing, answer);
  const { rows, duplicates } = result;
  const same = rows.added + rows.removed + (rows.changed ?? 0) === 0;
  const sameTwice = duplicates === null || duplicates.added + duplicates.removed === 0;
  return {
    equal: same && sameTwice && !columnsDiffer(matched.changes),
    from: describeSide(from),
    to: describeSide(to),
    columns: { ...matched.changes, ignored: ignored.map(({ name }) => name) },
    files: { from: files.from.length, to: files.to.length, shared: files.shared.length },
    ...result,
    rows: { ...rows, from: rows.from + shared, to: rows.to + shared, shared },
  };
}

/** What tables of silver say of the runs that made their rows, which are never those of another table. */
function ofRuns(...sides: readonly Side[]): readonly string[] {
  return sides.every(({ id }) => id.layer === 'silver') ? ['ingested_at', 'run_id'] : [];
}

function comparingOf(sides: readonly [Side, Side], columns: readonly MatchedColumn[], request: DiffRequest): Comparing {
  const [from, to] = sides.map(hiddenIn);
  const keys = request.key?.map((name) => numberOf('--key', columns, name)) ?? null;
  const tolerances = new Map(
    Object.entries(request.tolerances).map(([name, amount]) => [numberOf('--tolerance', columns, name), amount]),
  );
  checkTolerances(tolerances, keys, columns);
  const compared = columns.map((column, at): Compared => {
    const amount = tolerances.get(at);
    const hidden = from?.has(column.from.name) === true || to?.has(column.to.name) === true;
    const tolerance = amount === undefined ? {} : { tolerance: toleranceOf(column.name, column.type, amount) };
    return { type: column.type, hidden, ...tolerance };
  });
  return { columns, compared, keys, sample: request.sample };
}

function hiddenIn({ deps, metadata }: Side): ReadonlySet<string> {
  return new Set(deps.hidesPersonal === true ? maskedColumns(metadata).map(({ name }) => name) : []);
}

function checkTolerances(
  tolerances: ReadonlyMap<number, string>,
  keys: readonly number[] | null,
  columns: readonly MatchedColumn[],
): void {
  for (const at of tolerances.keys()) {
    if (keys !== null && !keys.includes(at)) continue;
    const why =
      keys === null ? 'no key by which rows could be paired' : 'a column of the key, which is equal or is not';
    throw new InvalidInput(`--tolerance ${columns[at]?.name}: got ${why}; expected a key (--key), and another column`);
  }
}

function numberOf(option: string, columns: readonly MatchedColumn[], name: string): number {
  const exact = columns.findIndex((column) => column.name === name);
  const at = exact >= 0 ? exact : columns.findIndex((column) => isNamed([name], column.name));
  if (at >= 0) return at;
  const known = columns.map((column) => column.name).join(', ');
  throw new InvalidInput(`${option}: got ${JSON.stringify(name)}; expected a column that both sides have, of ${known}`);
}

function isNamed(names: readonly string[], name: string): boolean {
  return names.some((one) => one.toLowerCase() === name.toLowerCase());
}

type Result = Pick<TableDiff, 'key' | 'duplicates' | 'values' | 'sample' | 'masked'> & {
  readonly rows: Omit<TableDiff['rows'], 'shared'>;
};

function resultOf({ columns, compared, keys }: Comparing, { totals, found, twice }: Compare): Result {
  const names = columns.map(({ name }) => name);
  return {
    key: keys?.map((at) => names[at] ?? '') ?? null,
    rows: {
      from: Number(totals.from['rows']),
      to: Number(totals.to['rows']),
      added: Number(found['added']),
      removed: Number(found['removed']),
      changed: keys === null ? null : Number(found['changed']),
    },
    duplicates: twice === undefined ? null : describeDuplicates(names, twice),
    values: columns.map(({ name, type }, at) => ({
      column: name,
      changed: keys === null || keys.includes(at) ? null : Number(found[`n${at}`]),
      tolerance: compared[at]?.tolerance ?? null,
      sum: (compared[at]?.hidden === true ? undefined : sumsOf(type, at, totals.from, totals.to)) ?? null,
    })),
    sample: {
      added: describeRows(names, found['added_rows']),
      removed: describeRows(names, found['removed_rows']),
      changed: describeChanged(names, keys ?? [], found['changed_rows']),
    },
    masked: columns.flatMap(({ name }, at) => (compared[at]?.hidden === true ? [name] : [])),
  };
}
