import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../../core/errors.ts';
import { PRICES } from '../../plan/prices.ts';
import { collectPage, type PageFacts } from '../../query/status/page-facts.ts';
import { pipelinesIn } from '../../query/status/status-facts.ts';
import { renderMarkdown } from '../../report/page/markdown.ts';
import { renderPage } from '../../report/page/page.ts';
import { buildReport } from '../../report/page/report.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { type Context, EXIT } from '../context.ts';
import { tellEach } from '../each-pipeline.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatBytes } from '../output/human.ts';
import { renderJson } from '../output/json.ts';

export type ReportRequest = {
  readonly out: string;
  readonly days?: number;
  readonly before?: string;
  readonly after?: string;
};

/** Writes a page about a pipeline, or about all, as HTML, Markdown and JSON. */
export async function report(context: Context, pipeline: string | undefined, request: ReportRequest): Promise<number> {
  const { out, days = DEFAULT_DAYS } = request;
  const compared = comparedBy(request);
  const { deps } = await openLakeAt(context, 'read');
  const collect = (name: string): Promise<PageFacts> => collectPage(deps, name, { days, ...compared });
  const { found, whole } =
    pipeline === undefined
      ? await tellEach(context, await pipelinesIn(deps), collect)
      : { found: [await collect(pipeline)], whole: true };
  const { region, checked, glue } = PRICES;
  const built = buildReport({
    lake: pipeline === undefined ? 'Strata' : `Strata: ${pipeline}`,
    now: deps.clock.now().getTime(),
    days,
    pipelines: found,
    ...compared,
    glue: { region, checked, dpuHour: glue.dpuHour, dpus: glue.dpus, seconds: glue.seconds },
  });
  const files = [
    ['index.html', renderPage(built)],
    ['report.md', renderMarkdown(built)],
    ['report.json', renderJson(built)],
  ] as const;
  await mkdir(out, { recursive: true });
  const written: { readonly file: string; readonly bytes: number }[] = [];
  for (const [name, text] of files) {
    await writeFile(join(out, name), text);
    written.push({ file: join(out, name), bytes: Buffer.byteLength(text) });
  }
  await context.answer(
    written,
    () => `${written.map(({ file, bytes }) => `${file} (${formatBytes(bytes)})`).join('\n')}\n`,
  );
  return whole ? EXIT.done : EXIT.wrongUse;
}

/** Throws InvalidInput for one without the other. */
function comparedBy({ before, after }: ReportRequest): {
  readonly compared?: { readonly before: string; readonly after: string };
} {
  if (before === undefined && after === undefined) return {};
  if (before !== undefined && after !== undefined) return { compared: { before, after } };
  const given = before === undefined ? '--after' : '--before';
  throw new InvalidInput(
    `${given} alone: expected --before and --after, each the beginning of ids of runs, or neither`,
  );
}
