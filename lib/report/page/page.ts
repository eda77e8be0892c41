import { describePromise } from '../promise-text.ts';
import { type Html, html } from './html.ts';
import { anchorOf, idOf, renderOverview, stateText } from './overview.ts';
import type { PipelineReport, Report } from './report.ts';
import { renderCompared, renderLatest, renderModels, renderRuns } from './runs.ts';
import { STYLE } from './style.ts';
import { renderTable } from './table.ts';
import { renderGraph, renderQuality, renderQuarantine } from './tables.ts';

/**
 * A page that opens from disk: it has no script, and neither loads nor names anything beside itself. What came from data is text,
 * whatever it holds.
 */
export function renderPage(report: Report): string {
  const { pipelines, lake, at, days } = report;
  const links = pipelines.map(
    ({ status: { pipeline } }) => html`<li><a href="#${anchorOf(pipeline)}">${pipeline}</a></li>`,
  );
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer"><title>${lake}</title><style>${STYLE}</style></head>
<body><a class="skip" href="#content">Skip to the content</a>
<header><h1>${lake}</h1><p class="dim">As of ${at}, over ${days} days. Times are in UTC.</p></header>
<nav aria-label="Pipelines"><ul>${links}</ul></nav>
<main id="content" tabindex="-1">
<section aria-labelledby="all"><h2 id="all">Pipelines</h2>${renderOverview(report)}</section>
${pipelines.map((one) => renderPipeline(one, report))}</main>
<footer><p class="dim">Made by strata report. Costs are those of the runs, without storage; Glue is the smallest Spark job
(${report.glue.dpus} DPU at $${report.glue.dpuHour} an hour in ${report.glue.region}, checked ${report.glue.checked}) in each run's place, had it taken as long.</p></footer>
</body></html>
`;
  return page.markup;
}

function renderPipeline(one: PipelineReport, report: Report): Html {
  const { pipeline } = one.status;
  return html`<section aria-labelledby="${anchorOf(pipeline)}"><h2 id="${anchorOf(pipeline)}">${pipeline}</h2>
${one.description === null ? null : html`<p>${one.description}</p>`}
${renderState(one)}
<h3>Promises</h3>${renderPromises(one)}
<h3>Runs</h3>${renderRuns(one)}${renderLatest(one)}
<h3>Incidents</h3>${renderIncidents(one)}
<h3>Models</h3>${renderModels(one)}${renderCompared(one)}
<h3>Quarantine</h3>${renderQuarantine(one)}
<h3>Quality</h3>${renderQuality(one)}
<h3>Lineage</h3>${renderGraph(one, report)}
</section>
`;
}

function renderState(one: PipelineReport): Html {
  const items = stateText(one).map(([name, text, wrong]) => {
    return html`<dt>${name}</dt><dd${wrong ? html` class="bad"` : null}>${text}</dd>`;
  });
  return html`<dl>${items}</dl>`;
}

function renderPromises({ status }: PipelineReport): Html {
  const texts = status.slo.map((judged) => ({ ...describePromise(judged), breaches: judged.breaches }));
  const table = renderTable({
    caption: `What is promised of ${status.pipeline}`,
    columns: [
      { name: 'promise' },
      { name: 'state' },
      ...['now', 'target', 'objective', 'attained', 'budget left', 'breaches'].map((name) => ({ name, numeric: true })),
    ],
    rows: texts.map(({ promise, state, now, target, objective, attained, left, breaches }) => [
      promise,
      html`<span class="${state === 'breached' ? 'bad' : state === 'met' ? 'good' : 'dim'}">${state}</span>`,
      ...[now, target, objective, attained, left, String(breaches.length)],
    ]),
    empty: 'nothing is promised; slo in the pipeline does',
  });
  const breaches = texts.flatMap(({ promise, breaches: own }) =>
    own.slice(-10).map(({ from, to, what }) => [promise, isoOf(from), to === null ? 'lasts' : isoOf(to), what]),
  );
  if (breaches.length === 0) return table;
  const columns = ['promise', 'from', 'to', 'what'].map((name) => ({ name }));
  return html`${table}<details id="${idOf('breaches', status.pipeline)}"><summary>Where a promise was not kept</summary>${renderTable(
    {
      ...{ caption: `The latest breaches of ${status.pipeline}`, columns, rows: breaches },
    },
  )}</details>`;
}

function renderIncidents({ incidents, status }: PipelineReport): Html {
  return renderTable({
    caption: `Incidents of ${status.pipeline}: from the end of the first run that failed to that of the next that succeeded`,
    columns: [
      { name: 'from' },
      { name: 'to' },
      { name: 'runs that failed', numeric: true },
      { name: 'what the latest said' },
    ],
    rows: incidents.map(({ from, to, failures, error }) => [
      isoOf(from),
      to === null ? html`<span class="bad">lasts</span>` : isoOf(to),
      String(failures.length),
      error ?? '-',
    ]),
  });
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
