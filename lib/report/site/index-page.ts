import { formatCount } from '../human.ts';
import { renderDocument } from '../page/document.ts';
import { html } from '../page/html.ts';
import { renderLineage } from '../page/lineage.ts';
import { renderOverview } from '../page/overview.ts';
import { renderPrices } from '../page/page.ts';
import type { Report } from '../page/report.ts';
import { renderTable } from '../page/table.ts';
import { linked } from '../page/tables.ts';
import { countOutcomes } from '../page/tests.ts';
import { renderTime } from '../page/time.ts';
import { type LakeMap, type MapNode, pipelinePath, tablePath } from './lake-map.ts';

/** Where one begins: how the pipelines do, and all tables, as a picture and as a table. */
export function renderIndex(report: Report, map: LakeMap): string {
  const { pipelines, lake, at, days } = report;
  const names = pipelines.map(({ status: { pipeline } }) => pipeline);
  return renderDocument({
    title: lake,
    about: html`As of ${renderTime(at)}, over ${days} days. Times are in UTC.`,
    links: {
      label: 'Pipelines',
      items: names.map((name) => html`<li><a href="${pipelinePath(name)}">${name}</a></li>`),
    },
    main: html`<section aria-labelledby="all"><h2 id="all">Pipelines</h2>${renderOverview(report, pipelinePath)}</section>
<section aria-labelledby="tables"><h2 id="tables">Tables</h2>
${map.nodes.length === 0 ? html`<p class="none">there are none yet</p>` : renderTables(map)}</section>
`,
    footer: html`Made by strata docs. ${renderPrices(report)}`,
  });
}

function renderTables(map: LakeMap) {
  const hrefOf = (name: string): string | undefined => tablePath(map, name);
  const table = renderTable({
    caption: 'Sources and tables, each with what it is and how its tests ended',
    columns: [
      { name: 'table' },
      { name: 'pipeline' },
      { name: 'kind' },
      { name: 'description', prose: true },
      { name: 'columns', numeric: true },
      { name: 'tests' },
      { name: 'rows', numeric: true },
      { name: 'changed' },
      { name: 'made from' },
    ],
    rows: map.nodes.map((node) => [
      linked(node.name, hrefOf(node.name)),
      node.pipeline === null ? '-' : linked(node.pipeline, pipelinePath(node.pipeline)),
      node.kind,
      node.description ?? '-',
      formatCount(node.columns.length),
      countOutcomes(node.tests),
      node.rows === null ? '-' : formatCount(node.rows),
      renderTime(node.updated),
      node.reads.length === 0
        ? '-'
        : html`${node.reads.map((name, n) => html`${n === 0 ? '' : ', '}${linked(name, hrefOf(name))}`)}`,
    ]),
  });
  return html`<figure id="lineage"><figcaption>Lineage of all tables</figcaption>${renderLineage(map.nodes, hrefOf, aboutNode)}${table}</figure>`;
}

export function aboutNode({ name, description, rows }: MapNode): string {
  const parts = [
    name,
    ...(rows === null ? [] : [`${formatCount(rows)} rows`]),
    ...(description === null ? [] : [description]),
  ];
  return parts.join(', ');
}
