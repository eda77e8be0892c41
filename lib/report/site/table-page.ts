import { formatCount } from '../human.ts';
import { renderDocument } from '../page/document.ts';
import { type Html, html } from '../page/html.ts';
import { renderLineage } from '../page/lineage.ts';
import { duration, MODEL_COSTS, modelCosts, p95Of } from '../page/overview.ts';
import type { Report } from '../page/report.ts';
import { renderTable } from '../page/table.ts';
import { linked } from '../page/tables.ts';
import { renderTests } from '../page/tests.ts';
import { renderTime } from '../page/time.ts';
import { formatPercent } from '../promise-text.ts';
import { FEW, percentOf } from '../statistics.ts';
import { renderColumnLineage } from './column-lineage.ts';
import { aboutNode } from './index-page.ts';
import { around, columnId, type LakeMap, type MapNode, pipelinePath, tableOfColumn, tablePath } from './lake-map.ts';

/** All of one source or table: what it is, its columns, what is expected of it, where it comes from and where it goes. */
export function renderTablePage(report: Report, map: LakeMap, node: MapNode): string {
  const { name, pipeline, description } = node;
  const hrefOf = fromTables(map);
  const links = [
    ['../index.html', report.lake],
    ...(pipeline === null ? [] : [[`../${pipelinePath(pipeline)}`, pipeline]]),
  ] as const;
  return renderDocument({
    title: name,
    about: html`${report.lake}, as of ${renderTime(report.at)}. Times are in UTC.`,
    links: {
      label: 'Where it belongs',
      items: links.map(([href, text]) => html`<li>${linked(text ?? '', href)}</li>`),
    },
    main: html`${description === null ? null : html`<p>${description}</p>`}
${renderFacts(node, hrefOf)}
<h2>Columns</h2>${renderColumns(map, node)}
<h2>Tests</h2>${renderTests(node.tests, `What is expected of ${name}`, false)}
<h2>Runs</h2>${renderFigures(node, report)}
<h2>Lineage</h2>${renderNeighbours(map, node)}
${renderColumnLineage(map, node)}`,
    footer: html`Made by strata docs.`,
  });
}

type HrefOf = (name: string) => string | undefined;

/** From a page of a table. */
export function fromTables(map: LakeMap): HrefOf {
  return (name) => {
    const path = tablePath(map, name);
    return path === undefined ? undefined : `../${path}`;
  };
}

function renderFacts({ kind, rows, updated, reads, readBy, columns }: MapNode, hrefOf: HrefOf): Html {
  const items = [
    ['kind', html`${kind}`],
    ['rows', html`${rows === null ? '-' : formatCount(rows)}`],
    ['changed', renderTime(updated)],
    ['columns', html`${formatCount(columns.length)}`],
    ['made from', listed(reads, hrefOf)],
    ['read by', listed(readBy, hrefOf)],
  ] as const;
  return html`<dl>${items.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>`;
}

function listed(names: readonly string[], hrefOf: HrefOf): Html {
  if (names.length === 0) return html`-`;
  return html`${names.map((name, at) => html`${at === 0 ? '' : ', '}${linked(name, hrefOf(name))}`)}`;
}

/** A column of another page, or of this one: `shop_silver.orders.amount`. */
function columnHref(map: LakeMap, column: string): string | undefined {
  const path = fromTables(map)(tableOfColumn(column));
  return path === undefined ? undefined : `${path}#${columnId(column)}`;
}

function renderColumns(map: LakeMap, { name: table, columns, quality }: MapNode): Html {
  const nulls = new Map(quality.map(({ column, rows, nulls: n }) => [column, n === null ? null : percentOf(n, rows)]));
  return renderTable({
    caption: `The columns of ${table}`,
    columns: [
      { name: 'column' },
      { name: 'type' },
      { name: 'description', prose: true },
      { name: 'null', numeric: true },
      { name: 'made from' },
    ],
    ids: columns.map(({ name }) => columnId(`${table}.${name}`)),
    rows: columns.map(({ name, type, description, from }) => [
      name,
      type,
      description ?? '-',
      formatPercent(nulls.get(name) ?? null),
      listed(from, (column) => columnHref(map, column)),
    ]),
    empty: 'none is known',
  });
}

function renderFigures({ name, figures }: MapNode, { days }: Report): Html {
  const numeric = ['runs', 'mean', 'p50', 'p95', 'success rate', 'rows of the latest', ...MODEL_COSTS];
  const good = figures === null ? 0 : figures.runs - figures.failed;
  return renderTable({
    caption: `Runs that worked on ${name} in ${days} days`,
    columns: [{ name: 'model' }, ...numeric.map((label) => ({ name: label, numeric: true }))],
    rows:
      figures === null
        ? []
        : [
            [
              figures.model,
              formatCount(figures.runs),
              duration(figures.mean),
              duration(figures.p50),
              p95Of({ n: good, p95: figures.p95, few: good < FEW }),
              formatPercent(percentOf(good, figures.runs)),
              figures.rows_out === null ? '-' : formatCount(figures.rows_out),
              ...modelCosts(figures, days),
            ],
          ],
  });
}

function renderNeighbours(map: LakeMap, node: MapNode): Html {
  const nodes = around(map, node.name);
  const hrefOf = fromTables(map);
  const known = new Set(nodes.map(({ name }) => name));
  const edges = nodes.flatMap(({ name, reads }) => reads.filter((read) => known.has(read)).map((read) => [read, name]));
  const table = renderTable({
    caption: `What ${node.name} is made from, and what is made from it, by way of others too`,
    columns: [{ name: 'from' }, { name: 'to' }],
    rows: edges.map(([from = '', to = '']) => [linked(from, hrefOf(from)), linked(to, hrefOf(to))]),
    empty: 'nothing, as far as is known',
  });
  return html`<figure id="lineage"><figcaption>Lineage of ${node.name}</figcaption>${renderLineage(nodes, hrefOf, aboutNode)}${table}</figure>`;
}
