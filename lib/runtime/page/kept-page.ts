import { InvalidInput } from '../../core/errors.ts';
import { RELEASE } from '../../core/release.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readJsonIfAny, writeJson } from '../../lake/run/run-folder.ts';
import type { ObjectStore } from '../../ports.ts';
import { lastSpec } from '../../query/last-spec.ts';
import { collectPage } from '../../query/status/page-facts.ts';
import { renderPage } from '../../report/page/page.ts';
import type { Report } from '../../report/page/report.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { reportOf } from './report-of.ts';

/** Where the page of a pipeline is kept in the lake, and what it says. */
export const keptPage = {
  page: (pipeline: string): string => `ops/${pipeline}/_page/index.html`,
  report: (pipeline: string): string => `ops/${pipeline}/_page/report.json`,
} as const;

/** What another release has kept may be made of other things. */
type KeptReport = { readonly release: string; readonly report: Report };

/**
 * Writes the page of a pipeline into the lake, in the place of the one before. It is of the pipeline as its latest run had it. Bronze is not listed: what
 * has landed since is for the next run to find. Throws InvalidInput where no run is known.
 */
export async function keepPage(deps: StepDeps, pipeline: string): Promise<void> {
  const spec = await lastSpec(deps, pipeline);
  if (spec === undefined) throw new InvalidInput(`no page of ${pipeline}: no run of it is known`);
  const days = DEFAULT_DAYS;
  const facts = await collectPage({ ...deps, specs: async () => spec }, pipeline, { days, ahead: false });
  const report = reportOf([facts], { lake: `Strata: ${pipeline}`, now: deps.clock.now().getTime(), days });
  const kept: KeptReport = { release: RELEASE, report };
  await writeJson(deps.store, keptPage.report(pipeline), kept);
  const page = new TextEncoder().encode(renderPage(report));
  await deps.store.write(keptPage.page(pipeline), page, { kind: 'any' });
}

/** What was kept of a pipeline by this release; undefined for nothing. */
export async function readKeptPage(store: ObjectStore, pipeline: string): Promise<Report | undefined> {
  const kept = await readJsonIfAny<KeptReport>(store, keptPage.report(pipeline));
  return kept?.release === RELEASE ? kept.report : undefined;
}
