import type { PipelineFacts } from '../../core/page-facts.ts';
import { visibleJson } from '../../core/visible.ts';
import { PRICES } from '../../plan/prices.ts';
import type { PageFacts } from '../../report/page/facts.ts';
import { renderMarkdown } from '../../report/page/markdown.ts';
import { renderPage } from '../../report/page/page.ts';
import { buildReport, type Report } from '../../report/page/report.ts';

/** What pages say of some pipelines, by the prices of now. */
export function reportOf(
  pipelines: readonly PipelineFacts[],
  about: Pick<PageFacts, 'lake' | 'now' | 'days' | 'compared'>,
): Report {
  const { region, checked, glue } = PRICES;
  const prices = { region, checked, dpuHour: glue.dpuHour, dpus: glue.dpus, seconds: glue.seconds };
  return buildReport({ ...about, pipelines, glue: prices });
}

/** A file that is made of a report, by its path in the folder that it is written to. */
export type PageFile = { readonly path: string; readonly text: string };

/** The page, and what it says for who reads text and for machines. */
export function pageFiles(report: Report): readonly PageFile[] {
  return [
    { path: 'index.html', text: renderPage(report) },
    { path: 'report.md', text: renderMarkdown(report) },
    { path: 'report.json', text: `${visibleJson(JSON.stringify(report, null, 2))}\n` },
  ];
}
