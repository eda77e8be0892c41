import { visibleLine } from '../../core/visible.ts';
import type { JsonValue, Row } from '../../ports.ts';
import type { RunDetails, RunError } from '../../query/runs/show-run.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from './human.ts';
import type { ResultColumn } from './rows.ts';
import { renderTable, type TableLayout } from './table.ts';

/** One run for people: what it was, its models, its accounts, what it read and wrote, and what went wrong where. */
export function renderRunDetails(
  { run, models, accounts, lineage, refused_files: refused, errors }: RunDetails,
  layout: TableLayout,
): string {
  const parts = [
    renderHead(run),
    models.length === 0 ? '' : table(modelRows(models), ['model', 'status'], layout),
    accounts.length === 0 ? '' : table(accounts.map(accountRow), ['source'], layout),
    lineage.length === 0 ? '' : table(lineage.map(lineageRow), ['model', '', 'table or source', 'version'], layout),
    refused.length === 0
      ? ''
      : `${formatQuantity(refused.length, 'file')} not taken:\n${refused.map(renderRefused).join('')}`,
    errors.map(renderError).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function renderHead(run: Row): string {
  const lines: readonly (readonly [string, JsonValue | undefined])[] = [
    ['started', run['started_at']],
    ['finished', run['finished_at']],
    ['took', tookOf(run)],
    ['run date', run['run_date']],
    ['files', count(run['files'])],
    ['rows', `${count(run['rows_read']) ?? '-'} read, ${count(run['rows_added']) ?? '-'} written`],
    ['cost', costOf(run)],
  ];
  const kind = run['kind'] === 'run' || run['kind'] === null ? 'run' : String(run['kind']);
  const known = lines.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [`${name.padEnd(10)}${String(value)}`],
  );
  return [
    `${kind} ${String(run['run_id'])} of ${String(run['pipeline'])}: ${String(run['status'])}`,
    ...known,
    '',
  ].join('\n');
}

/** The row of a run that publishes is written with its tables, before the run has cleaned up: what `strata run` tells is a little more. */
function tookOf({ duration_ms: took, status }: Row): string | null {
  if (typeof took !== 'number' && typeof took !== 'string') return null;
  return `${formatDuration(Number(took))}${status === 'SUCCEEDED' ? ', until it published' : ''}`;
}

function costOf({ cost_usd, cost_rate }: Row): string | null {
  if (cost_usd === null || cost_usd === undefined) return null;
  return `${formatUsd(Number(cost_usd))}, by ${String(cost_rate)}`;
}

/** What was spilled is a column where any was. */
function modelRows(models: readonly Row[]): readonly Row[] {
  const spilled = models.some((row) => Number(row['spilled_bytes']) > 0);
  return models.map((row) => modelRow(row, spilled));
}

function modelRow(row: Row, spilled: boolean): Row {
  const bytes = (name: string): string | null => (row[name] === null ? null : formatBytes(Number(row[name])));
  return {
    level: row['level'] ?? null,
    model: row['model'] ?? null,
    status: row['status'] ?? null,
    took: formatDuration(Number(row['duration_ms'])),
    units: count(row['units']),
    'rows in': count(row['rows_in']),
    'rows out': count(row['rows_out']),
    read: bytes('bytes_read'),
    written: bytes('bytes_written'),
    'peak memory': bytes('peak_memory_bytes'),
    ...(spilled && { spilled: bytes('spilled_bytes') }),
    USD: row['cost_usd'] === null ? null : Number(row['cost_usd']).toFixed(6),
  };
}

function accountRow(row: Row): Row {
  const { source = null, table_name = null } = row;
  const names = ['read', 'accepted', 'quarantined', 'condemned', 'duplicates'];
  return {
    source: table_name === null ? source : `${String(source)} for ${String(table_name)}`,
    ...Object.fromEntries(names.map((name) => [name, count(row[name])])),
  };
}

function lineageRow(row: Row): Row {
  return {
    model: row['model'] ?? null,
    '': row['action'] ?? null,
    'table or source': row['table_or_source'] ?? null,
    version: row['version'] ?? null,
    files: count(row['files']),
    rows: count(row['rows']),
    bytes: row['bytes'] === null ? null : formatBytes(Number(row['bytes'])),
  };
}

function renderRefused({ key, status, reason }: Row): string {
  return `  ${visibleLine(String(key))}: ${String(status)}: ${visibleLine(String(reason))}\n`;
}

function renderError({ model, error, place }: RunError): string {
  // An error of this release says where it is; one of an earlier release does not.
  const where =
    place === null || error.includes(`(${place.file}:${place.line}`)
      ? undefined
      : `${place.file}, line ${place.line}${place.column === null ? '' : `, column ${place.column}`}`;
  const head = [model, where].filter((part) => part !== null && part !== undefined).join(': ');
  const text = error.split('\n').map(visibleLine).join('\n');
  return head === '' ? `${text}\n` : `${head}\n${text}\n`;
}

function count(value: JsonValue | undefined): string | null {
  return value === null || value === undefined ? null : formatCount(Number(value));
}

/** Ids and names are never cut. */
function table(rows: readonly Row[], whole: readonly string[], layout: TableLayout): string {
  const columns: readonly ResultColumn[] = Object.keys(rows[0] ?? {}).map((name) =>
    whole.includes(name) ? { name, type: 'VARCHAR', whole: true } : { name, type: 'BIGINT' },
  );
  return renderTable(rows, columns, layout);
}
