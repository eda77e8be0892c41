import { renderDocument } from '../page/document.ts';
import { html } from '../page/html.ts';
import { renderPipeline, renderPrices } from '../page/page.ts';
import type { PipelineReport, Report } from '../page/report.ts';
import { renderTime } from '../page/time.ts';
import { renderIndex } from './index-page.ts';
import { type LakeMap, mapLake, pipelinePath } from './lake-map.ts';
import { fromTables, renderTablePage } from './table-page.ts';

/** A page of a site, by its path in the folder. */
export type SiteFile = { readonly path: string; readonly text: string };

/** The pages of a whole lake: where one begins, one for each pipeline, one for each source and table. They name each other by relative paths. */
export function renderSite(report: Report): readonly SiteFile[] {
  const map = mapLake(report);
  const tables = map.nodes.filter(({ pipeline }) => pipeline !== null);
  const pathOf = fromTables(map);
  return [
    { path: 'index.html', text: renderIndex(report, map) },
    ...report.pipelines.map((one) => ({
      path: pipelinePath(one.status.pipeline),
      text: renderPipelinePage(report, map, one),
    })),
    ...tables.map((node) => ({
      path: (pathOf(node.name) ?? '').slice('../'.length),
      text: renderTablePage(report, map, node),
    })),
  ];
}

function renderPipelinePage(report: Report, map: LakeMap, one: PipelineReport): string {
  const { pipeline } = one.status;
  const others = report.pipelines.map(({ status }) => status.pipeline).filter((name) => name !== pipeline);
  return renderDocument({
    title: `${report.lake}: ${pipeline}`,
    about: html`As of ${renderTime(report.at)}, over ${report.days} days. Times are in UTC.`,
    links: {
      label: 'Pipelines',
      items: [
        html`<li><a href="../index.html">${report.lake}</a></li>`,
        ...others.map((name) => html`<li><a href="../${pipelinePath(name)}">${name}</a></li>`),
      ],
    },
    main: renderPipeline(one, report, fromTables(map)),
    footer: html`Made by strata docs. ${renderPrices(report)}`,
  });
}
