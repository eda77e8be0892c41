import type { Row } from '../../ports.ts';
import type { TableDiff } from '../../query/diff/diff-tables.ts';
import type { SampledChange, SampledRow } from '../../query/diff/samples.ts';
import type { DescribedSide } from '../../query/diff/side.ts';
import { formatCount, formatQuantity } from './human.ts';
import { textOf } from './rows.ts';
import { renderTable, type TableLayout } from './table.ts';

/** In what two tables are not the same, for people. */
export function renderDiff(diff: TableDiff, layout: TableLayout): string {
  const { rows, files } = diff;
  const facts: readonly (readonly [string, string])[] = [
    ['from', `${sideText(diff.from)}, ${formatQuantity(rows.from, 'row')}`],
    ['to', `${sideText(diff.to)}, ${formatQuantity(rows.to, 'row')}`],
    ['files', filesText(files)],
    ['by', diff.key === null ? 'whole rows: no key' : `the key ${diff.key.join(', ')}`],
    ...columnFacts(diff),
    ...duplicateFacts(diff),
    ['rows', rowsText(diff)],
  ];
  return [
    facts.map(([label, text]) => `${label.padEnd(12)}${text}\n`).join(''),
    ...valuesTable(diff, layout),
    ...sampleTables(diff, layout),
  ].join('\n');
}

function sideText({ table, snapshot_id, run_id, time }: DescribedSide): string {
  if (snapshot_id === null) return `${table}, which had no snapshot`;
  return `${table}, snapshot ${snapshot_id} of ${run_id === null ? '' : `run ${run_id}, `}${time}`;
}

function filesText({ from, to, shared }: TableDiff['files']): string {
  const read = `read ${formatCount(from)} and ${formatQuantity(to, 'file')}`;
  return shared === 0 ? read : `${read}, not the ${formatCount(shared)} that both have`;
}

function rowsText({ equal, rows, duplicates }: TableDiff): string {
  if (equal) return 'the same';
  const parts = [
    `${formatCount(rows.added)} added`,
    `${formatCount(rows.removed)} removed`,
    ...(rows.changed === null ? [] : [`${formatCount(rows.changed)} changed`]),
  ];
  return duplicates === null ? parts.join(', ') : `${parts.join(', ')}, of keys that come once`;
}

function columnFacts({ columns }: TableDiff): readonly (readonly [string, string])[] {
  const { added, removed, renamed, retyped, ignored } = columns;
  const facts: readonly (readonly [string, readonly string[]])[] = [
    ['new', added.map(({ name, type }) => `${name} (${type})`)],
    ['gone', removed.map(({ name, type }) => `${name} (${type})`)],
    ['renamed', renamed.map(({ from, to }) => `${from} to ${to}`)],
    ['retyped', retyped.map(({ name, from, to }) => `${name} from ${from} to ${to}`)],
    ['left out', ignored],
  ];
  return facts.flatMap(([label, texts]) =>
    texts.length === 0 ? [] : [[label, `columns ${texts.join(', ')}`] as const],
  );
}

function duplicateFacts({ duplicates, key }: TableDiff): readonly (readonly [string, string])[] {
  if (duplicates === null) return [];
  const { keys, rows_from, rows_to, added, removed, sample } = duplicates;
  const shown = sample.map(({ key: values, from, to }) => `${keyText(key, values)} (${from} and ${to})`);
  const such = shown.length === 0 ? '' : `: ${shown.join(', ')}${keys > shown.length ? ', ...' : ''}`;
  return [
    [
      'not unique',
      `${formatQuantity(keys, 'key')} with ${formatCount(rows_from)} and ${formatQuantity(rows_to, 'row')}, compared as whole rows: ` +
        `${formatCount(added)} added, ${formatCount(removed)} removed${such}`,
    ],
  ];
}

function keyText(key: TableDiff['key'], values: Row): string {
  return (key ?? []).map((name) => `${name}=${textOf(values[name]) ?? 'NULL'}`).join(' ');
}

/** Columns in which rows have changed, and those whose sums have. */
function valuesTable({ values }: TableDiff, layout: TableLayout): readonly string[] {
  const told = values.filter(({ changed, sum }) => (changed ?? 0) > 0 || (sum !== null && sum.from !== sum.to));
  if (told.length === 0) return [];
  const rows = told.map(({ column, changed, sum }) => ({
    column,
    changed,
    sum_from: sum?.from ?? null,
    sum_to: sum?.to ?? null,
    difference: sum?.delta ?? null,
  }));
  const number = (name: string) => ({ name, type: 'DECIMAL' });
  const columns = [{ name: 'column', whole: true }, ...['changed', 'sum_from', 'sum_to', 'difference'].map(number)];
  return ['columns, of the rows that were read:', renderTable(rows, columns, layout)];
}

function sampleTables({ sample, key }: TableDiff, layout: TableLayout): readonly string[] {
  return [
    ...rowsTable('added', sample.added, layout),
    ...rowsTable('removed', sample.removed, layout),
    ...changesTable(sample.changed, key ?? [], layout),
  ];
}

function rowsTable(title: string, sampled: readonly SampledRow[], layout: TableLayout): readonly string[] {
  if (sampled.length === 0) return [];
  const often = sampled.some(({ times }) => times > 1);
  const rows = sampled.map(({ row, times }) => (often ? { '#': times, ...row } : row));
  return [`${title}, for example:`, renderTable(rows, undefined, layout)];
}

function changesTable(
  sampled: readonly SampledChange[],
  key: readonly string[],
  layout: TableLayout,
): readonly string[] {
  if (sampled.length === 0) return [];
  const rows = sampled.flatMap((one) =>
    Object.entries(one.changed).map(([column, { from, to }]) => ({ ...one.key, column, from, to })),
  );
  const columns = [...key.map((name) => ({ name })), { name: 'column' }, { name: 'from' }, { name: 'to' }];
  return ['changed, for example:', renderTable(rows, columns, layout)];
}
