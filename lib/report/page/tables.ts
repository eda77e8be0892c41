import type { ColumnQuality, LineageNode } from '../../core/page-facts.ts';
import { formatCount, formatQuantity, formatTime } from '../human.ts';
import { formatPercent } from '../promise-text.ts';
import { percentOf } from '../statistics.ts';
import { renderLines, renderStacks } from './charts.ts';
import { type Html, html } from './html.ts';
import { renderLineage } from './lineage.ts';
import { idOf } from './overview.ts';
import type { PipelineReport, Report } from './report.ts';
import { renderTable } from './table.ts';
import { renderTime } from './time.ts';

const MOST_SERIES = 6;

/** What is rejected, and what was, day by day. */
export function renderQuarantine({ status: { pipeline, quarantine }, by_day, rejected }: PipelineReport): Html {
  const table = renderTable({
    caption: `Rejected rows of ${pipeline} by code; a row counts under each of its codes`,
    columns: [
      { name: 'code' },
      ...['quarantined', 'condemned', 'in the last day'].map((name) => ({ name, numeric: true })),
    ],
    rows: quarantine.map(({ code, quarantined, condemned, last_day }) => [
      code,
      ...[quarantined, condemned, last_day].map(formatCount),
    ]),
    empty: 'no row is in quarantine',
  });
  if (rejected.length === 0) return table;
  const days = by_day.map(({ day }) => day);
  const byCode = [...Map.groupBy(rejected, ({ code }) => code)].slice(0, MOST_SERIES);
  const chart = renderStacks({
    ...{
      id: idOf('rejected', pipeline),
      title: `Rows of ${pipeline} that were rejected`,
      along: 'day',
      labels: days,
      format: formatCount,
    },
    series: byCode.map(([name, own]) => ({
      name,
      values: days.map((day) => own.find((one) => one.day === day)?.rows ?? 0),
    })),
  });
  return html`${chart}${table}`;
}

/** What the latest run that wrote a table says of its columns. */
export function renderQuality({ status: { pipeline }, quality, nulls, by_day }: PipelineReport): Html {
  const tables = [...Map.groupBy(quality, ({ table }) => table)].map(([table, own]) => qualityOf(table, own));
  const shown = renderTable({
    caption: `What the latest files of the tables of ${pipeline} say`,
    columns: [
      { name: 'table' },
      ...['rows written', 'columns', 'columns with nulls', 'most nulls'].map((name) => ({ name, numeric: true })),
      { name: 'key' },
    ],
    rows: tables,
    empty: 'no run has told of them yet',
  });
  if (nulls.length === 0) return shown;
  const days = by_day.map(({ day }) => day);
  const chart = renderLines({
    ...{
      id: idOf('nulls', pipeline),
      title: `Columns of ${pipeline} with the most nulls`,
      along: 'day',
      labels: days,
      format: formatPercent,
    },
    series: [...Map.groupBy(nulls, ({ column }) => column)].slice(0, MOST_SERIES).map(([name, own]) => ({
      name,
      values: days.map((day) => own.find((one) => one.day === day)?.percent ?? null),
    })),
  });
  return html`${chart}${shown}`;
}

function qualityOf(table: string, own: readonly ColumnQuality[]): readonly (string | Html)[] {
  const shares = own.map(({ column, rows, nulls }) => ({
    column,
    share: nulls === null ? null : percentOf(nulls, rows),
  }));
  const some = shares.filter(({ share }) => (share ?? 0) > 0).sort((a, b) => (b.share ?? 0) - (a.share ?? 0));
  const [most] = some;
  const keys = own.filter(({ key_ok }) => key_ok !== null);
  const broken = keys.filter(({ key_ok }) => key_ok === false).map(({ column }) => column);
  const key = keys.length === 0 ? '-' : 'unique';
  return [
    table,
    formatCount(own.reduce((rows, one) => Math.max(rows, one.rows), 0)),
    formatCount(own.length),
    formatCount(some.length),
    most === undefined ? '-' : `${most.column}, ${formatPercent(most.share)}`,
    broken.length === 0 ? key : html`<span class="bad">not unique: ${broken.join(', ')}</span>`,
  ];
}

/** From sources to tables, as a picture and as a table. */
export function renderGraph(
  { nodes, status: { pipeline }, quality }: PipelineReport,
  { at }: Report,
  pageOf: (table: string) => string | undefined,
): Html {
  if (nodes.length === 0) return html`<p class="none">Lineage: there are no tables</p>`;
  const linkOf = (name: string): string => idOf('table', pipeline, name);
  const known = new Set(nodes.map(({ name }) => name));
  const worst = new Map(
    [...Map.groupBy(quality, ({ table }) => table)].map(([table, own]) => [
      table,
      own.some(({ key_ok }) => key_ok === false),
    ]),
  );
  const aboutOf = (node: LineageNode): string =>
    [
      node.name,
      node.rows === null ? undefined : `${formatCount(node.rows)} rows`,
      node.updated === null ? undefined : `changed ${formatTime(node.updated)}`,
      worst.get(node.name) === true ? 'its key is not unique' : undefined,
    ]
      .filter((text) => text !== undefined)
      .join(', ');
  const table = renderTable({
    caption: `What the tables of ${pipeline} are made from, as of ${formatTime(at)}`,
    columns: [
      { name: 'table' },
      { name: 'kind' },
      { name: 'made from' },
      { name: 'rows', numeric: true },
      { name: 'changed' },
      { name: 'description', prose: true },
      { name: 'columns' },
    ],
    ids: nodes.map(({ name }) => linkOf(name)),
    rows: nodes.map(({ name, kind, reads, rows, updated, description, columns }) => [
      linked(name, pageOf(name)),
      kind,
      reads.length === 0
        ? '-'
        : html`${reads.map((one, n) => html`${n === 0 ? '' : ', '}${known.has(one) ? html`<a href="#${linkOf(one)}">${one}</a>` : one}`)}`,
      rows === null ? '-' : formatCount(rows),
      renderTime(updated),
      description ?? '-',
      columns.length === 0
        ? '-'
        : renderColumns(
            columns,
            quality.filter(({ table: of }) => of === name),
          ),
    ]),
  });
  return html`<figure id="${idOf('lineage', pipeline)}"><figcaption>Lineage of ${pipeline}</figcaption>${renderLineage(nodes, (name) => `#${linkOf(name)}`, aboutOf)}${table}</figure>`;
}

export function linked(name: string, href: string | undefined): Html {
  return href === undefined ? html`${name}` : html`<a href="${href}">${name}</a>`;
}

/** Names and types, with the share of nulls where the latest files say it. */
function renderColumns(columns: LineageNode['columns'], quality: readonly ColumnQuality[]): Html {
  const nulls = new Map(quality.map(({ column, rows, nulls: n }) => [column, n === null ? null : percentOf(n, rows)]));
  const items = columns.map(({ name, type, description }) => {
    const share = nulls.get(name) ?? 0;
    return html`<li>${name} <span class="dim">${type}${share > 0 ? `, ${formatPercent(share)} null` : ''}</span>${description === null ? null : html`: ${description}`}</li>`;
  });
  return html`<details><summary>${formatQuantity(columns.length, 'column')}</summary><ul class="columns">${items}</ul></details>`;
}
