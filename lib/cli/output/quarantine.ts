import { visibleLine } from '../../core/visible.ts';
import type { JsonValue, Row } from '../../ports.ts';
import type { QuarantinedRow, QuarantineList } from '../../query/quarantine.ts';
import type { Context } from '../context.ts';
import { formatCount, formatQuantity } from './human.ts';
import { columnsOf, type ResultColumn } from './rows.ts';
import { renderTable } from './table.ts';

type World = Pick<Context, 'layout' | 'hint'>;

/** As much of a hash as tells rows apart on a screen; `show` takes it as it is. */
const HASH_SHOWN = 12;
const BECAUSE_SHOWN = 80;

/** Rejected rows by kind, and the newest of them. `filtered`: there may be others. */
export function renderQuarantineList(found: QuarantineList, filtered: boolean, { layout, hint }: World): string {
  const { pipeline, total, rows } = found;
  if (total === 0) return `no row of ${pipeline}${filtered ? ' that matches' : ''} was ever rejected\n`;
  const summary = found.summary.map((row) => ({ ...row, rows: formatCount(Number(row['rows'])) }));
  const which = rows.length < total ? `the newest ${formatCount(rows.length)}` : 'newest first';
  const first = rows[0];
  return [
    `${counted(found)}; a row counts under each of its codes:`,
    renderTable(summary, [...['source', 'code', 'status'].map((name) => ({ name })), COUNT], layout),
    `${which}:`,
    renderRows(rows, layout),
    ...(first === undefined
      ? []
      : [
          'next:',
          `  ${hint(`quarantine show ${pipeline} ${shortHash(first)}`)}`,
          `  ${hint(`quarantine export ${pipeline} --format csv`)}`,
          '',
        ]),
  ].join('\n');
}

/** A row that was released and came back rejected is on record twice: it is one that is rejected, and one that was released. */
function counted({ pipeline, total, released }: QuarantineList): string {
  if (released === total) return `${formatQuantity(total, 'released row')} of ${pipeline}`;
  const beside =
    released === 0 ? '' : `, beside ${formatCount(released)} that ${released === 1 ? 'was' : 'were'} released`;
  return `${formatQuantity(total - released, 'rejected row')} of ${pipeline}${beside}`;
}

const COUNT = { name: 'rows', type: 'BIGINT' };

function renderRows(rows: readonly Row[], layout: World['layout']): string {
  const shown = rows.map((row) => ({ ...listed(row), ...tableOf(row, rows) }));
  return renderTable(shown, wholeIds(shown), layout);
}

/** The table that rejected a row, where some of the rows were not rejected for all tables of their source. */
function tableOf(row: Row, rows: readonly Row[]): Row {
  if (rows.every((one) => typeof one['table_name'] !== 'string')) return {};
  return { table: row['table_name'] ?? null };
}

function listed(row: Row): Row {
  const because = texts(row['details']).join('; ');
  return {
    hash: shortHash(row),
    'file:line': placeOf(row),
    codes: texts(row['codes']).join(', '),
    status: row['status'] ?? null,
    attempt: row['attempt'] ?? null,
    run: row['run_id'] ?? null,
    because: because.length > BECAUSE_SHOWN ? `${because.slice(0, BECAUSE_SHOWN)}…` : because,
  };
}

function wholeIds(rows: readonly Row[]): readonly ResultColumn[] {
  return columnsOf(rows).map((column) => ({ ...column, whole: ['hash', 'run'].includes(column.name) }));
}

function shortHash(row: Row): string {
  return String(row['row_hash']).slice(0, HASH_SHOWN);
}

/** The place below bronze/<pipeline>/. */
function placeOf(row: Row): string {
  const file = String(row['source_file']).split('/').slice(2).join('/');
  return row['line'] === null || row['line'] === undefined ? file : `${file}:${row['line']}`;
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** All about one rejected row. */
export function renderQuarantinedRow(row: QuarantinedRow, { layout, hint }: World): string {
  const last = row.arrivals.at(-1);
  const codes = texts(last?.['codes']);
  const details = texts(last?.['details']);
  const key = row.business_key === null ? '' : `, business key ${visibleLine(row.business_key)}`;
  return [
    `row ${row.row_hash}\nof source ${row.source} of ${row.pipeline}${key}, rejected ${formatQuantity(row.arrivals.length, 'time')}`,
    '',
    'as it came last:',
    renderRaw(String(last?.['raw'] ?? '')),
    '',
    'because:',
    ...codes.map(
      (code, i) => `  ${code}${details[i] === undefined || details[i] === '' ? '' : `: ${visibleLine(details[i])}`}`,
    ),
    '',
    'each time:',
    renderArrivals(row.arrivals, layout),
    ...(row.same_key.length === 0
      ? []
      : ['other rejected rows of the same business key:', renderRows(row.same_key, layout)]),
    ...(row.arrivals.every((one) => one['status'] === 'released')
      ? []
      : ['next:', `  ${hint(`quarantine release ${row.pipeline} --hash ${row.row_hash.slice(0, HASH_SHOWN)}`)}`, '']),
  ].join('\n');
}

function renderArrivals(arrivals: readonly Row[], layout: World['layout']): string {
  const rows = arrivals.map((row) => ({
    'file:line': placeOf(row),
    attempt: row['attempt'] ?? null,
    codes: texts(row['codes']).join(', '),
    status: row['status'] ?? null,
    run: row['run_id'] ?? null,
    at: row['quarantined_at'] ?? null,
    ...tableOf(row, arrivals),
  }));
  return renderTable(rows, wholeIds(rows), layout);
}

/** A record that was read field by field, or the record's own lines. */
function renderRaw(raw: string): string {
  const fields = fieldsOf(raw);
  const lines =
    fields === undefined
      ? raw.replace(/\r?\n$/, '').split(/\r?\n/)
      : fields.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return lines.map((line) => `  ${visibleLine(line)}`).join('\n');
}

function fieldsOf(raw: string): readonly (readonly [string, unknown])[] | undefined {
  try {
    const record: unknown = JSON.parse(raw);
    return typeof record === 'object' && record !== null && !Array.isArray(record) ? Object.entries(record) : undefined;
  } catch {
    return undefined;
  }
}
