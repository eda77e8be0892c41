import type { Diagnosis } from '../../core/diagnosis.ts';
import type { Finding, Topic } from '../../plan/findings.ts';
import type { Row } from '../../ports.ts';
import { formatBytes, formatCount, formatQuantity } from './human.ts';
import { columnsOf, type ResultColumn } from './rows.ts';
import { renderTable, type TableLayout } from './table.ts';

/** Partitions shown on a screen, and days, the latest first; --json has all. */
const SHOWN = 20;

/** A diagnosis for people: a section for each topic, with what is done about it. */
export function renderDiagnosis(diagnosis: Diagnosis, findings: readonly Finding[], layout: TableLayout): string {
  const rejected = diagnosis.rejected === 0 ? '' : `, ${formatCount(diagnosis.rejected)} more are rejected`;
  const unread = diagnosis.unreadable === 0 ? '' : `; ${formatQuantity(diagnosis.unreadable, 'file')} cannot be read`;
  const holds = `${formatQuantity(diagnosis.rows, 'row')} in ${formatQuantity(diagnosis.files, 'file')}, ${formatBytes(diagnosis.bytes)}${rejected}${unread}`;
  const sections = findings.map(({ topic, warning, found, does }) =>
    [`${warning ? '!' : '-'} ${TITLES[topic]}: ${found}`, `  ${does}`, ...bodyOf(topic, diagnosis, layout)].join('\n'),
  );
  return [`${diagnosis.name}: ${holds}`, ...sections].join('\n\n').trimEnd().concat('\n');
}

const TITLES: Readonly<Record<Topic, string>> = {
  keys: 'keys',
  skew: 'skew',
  files: 'files',
  days: 'rows by day',
  schema: 'schema',
  sample: 'sample',
  nulls: 'null values',
};

function bodyOf(topic: Topic, { keys, partitions, days, schema, sample }: Diagnosis, layout: TableLayout): string[] {
  const table = (rows: readonly Row[]): string[] =>
    rows.length === 0 ? [] : [renderTable(rows, undefined, layout).trimEnd()];
  const counted = (rows: readonly Row[]): string[] =>
    rows.length === 0 ? [] : [renderTable(rows, columnsOf(rows).map(numeric), layout).trimEnd()];
  switch (topic) {
    case 'keys':
      return keys.flatMap(({ column, distinct, top }) => [
        `  ${column}: ${formatQuantity(distinct, 'different value')}`,
        ...counted(top.map(({ value, rows, percent }) => ({ [column]: value, rows: formatCount(rows), percent }))),
      ]);
    case 'files':
      return few(
        partitions.map(({ partition, files, bytes, mean_bytes, small }) => ({
          partition: partition === '' ? '(all)' : partition,
          files: formatCount(files),
          bytes: formatBytes(bytes),
          'mean size': formatBytes(mean_bytes),
          small: small ? 'below 8 MB' : '',
        })),
        counted,
      );
    case 'days':
      return few(
        (days?.volumes ?? []).toReversed().map(({ day, rows }) => ({ day, rows: formatCount(rows) })),
        counted,
      );
    case 'schema':
      return counted(
        schema.map(({ name, type, nulls, null_percent, distinct_estimate, personal }) => ({
          column: name,
          type,
          nulls: formatCount(nulls),
          null_percent,
          'values, about': formatCount(distinct_estimate),
          personal: personal === true ? 'yes' : '',
        })),
      );
    case 'sample':
      return table(sample);
    case 'skew':
    case 'nulls':
      return [];
  }
}

/** Columns that stand on the right, although they are text here. */
const COUNTS = ['rows', 'files', 'bytes', 'mean size', 'nulls', 'values, about'];

function numeric(column: ResultColumn): ResultColumn {
  return COUNTS.includes(column.name) ? { ...column, type: 'BIGINT' } : column;
}

function few<T extends Row>(rows: readonly T[], table: (rows: readonly Row[]) => string[]): string[] {
  const left = rows.length - SHOWN;
  return [...table(rows.slice(0, SHOWN)), ...(left > 0 ? [`  and ${formatCount(left)} more; --json has all`] : [])];
}
