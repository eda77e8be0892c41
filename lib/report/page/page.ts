import { describePromise } from '../promise-text.ts';
import { renderDocument } from './document.ts';
import { type Html, html } from './html.ts';
import { anchorOf, idOf, renderOverview, stateText } from './overview.ts';
import { renderProfile } from './profile.ts';
import type { PipelineReport, Report } from './report.ts';
import { renderCompared, renderLatest, renderModels, renderRuns } from './runs.ts';
import { renderTable } from './table.ts';
import { renderGraph, renderQuality, renderQuarantine } from './tables.ts';
import { renderTests } from './tests.ts';
import { renderTime } from './time.ts';

/** Of a whole lake, or of a pipeline, on one page. */
export function renderPage(report: Report): string {
  const { pipelines, lake, at, days } = report;
  const hrefOf = (pipeline: string): string => `#${anchorOf(pipeline)}`;
  return renderDocument({
    title: lake,
    about: html`As of ${renderTime(at)}, over ${days} days. Times are in UTC.`,
    links: {
      label: 'Pipelines',
      items: pipelines.map(({ status: { pipeline } }) => html`<li><a href="${hrefOf(pipeline)}">${pipeline}</a></li>`),
    },
    main: html`<section aria-labelledby="all"><h2 id="all">Pipelines</h2>${renderOverview(report, hrefOf)}</section>
${pipelines.map((one) => renderPipeline(one, report))}`,
    footer: html`Made by strata report. ${renderPrices(report)}`,
  });
}

export function renderPrices({ glue }: Report): Html {
  return html`Costs are those of the runs, without storage; Glue is the smallest Spark job
(${glue.dpus} DPU at $${glue.dpuHour} an hour in ${glue.region}, checked ${glue.checked}) in each run's place, had it taken as long.`;
}

/** `pageOf`: where there is more of a table; left out: nowhere. */
export function renderPipeline(
  one: PipelineReport,
  report: Report,
  pageOf: (table: string) => string | undefined = () => undefined,
): Html {
  const { pipeline } = one.status;
  return html`<section aria-labelledby="${anchorOf(pipeline)}"><h2 id="${anchorOf(pipeline)}">${pipeline}</h2>
${one.description === null ? null : html`<p>${one.description}</p>`}
${renderState(one)}
<h3>Promises</h3>${renderPromises(one)}
<h3>Runs</h3>${renderRuns(one)}${renderLatest(one)}
<h3>Incidents</h3>${renderIncidents(one)}
<h3>Models</h3>${renderModels(one)}${renderCompared(one)}
${renderProfile(pipeline, one.profile)}
<h3>Tests</h3>${renderTests(one.tests, `What is expected of the tables of ${pipeline}`, true)}
<h3>Quarantine</h3>${renderQuarantine(one)}
<h3>Quality</h3>${renderQuality(one)}
<h3>Lineage</h3>${renderGraph(one, report, pageOf)}
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
    own
      .slice(-10)
      .map(({ from, to, what }) => [promise, renderTime(from), to === null ? 'lasts' : renderTime(to), what]),
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
      { name: 'what the latest said', prose: true },
    ],
    rows: incidents.map(({ from, to, failures, error }) => [
      renderTime(from),
      to === null ? html`<span class="bad">lasts</span>` : renderTime(to),
      String(failures.length),
      error ?? '-',
    ]),
  });
}
