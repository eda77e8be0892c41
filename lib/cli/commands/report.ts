import { InvalidInput } from '../../core/errors.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { pageFiles } from '../../runtime/page/report-of.ts';
import { type Context, EXIT } from '../context.ts';
import { formatBytes } from '../output/human.ts';
import { gatherReport, writePages } from '../page/gather.ts';

export type ReportRequest = {
  readonly out: string;
  readonly days?: number;
  readonly before?: string;
  readonly after?: string;
  readonly fresh?: boolean;
};

/** Writes a page about a pipeline, or about all, as HTML, Markdown and JSON. */
export async function report(context: Context, pipeline: string | undefined, request: ReportRequest): Promise<number> {
  const { out, days = DEFAULT_DAYS, fresh = false } = request;
  const { report: built, whole } = await gatherReport(context, pipeline, { days, fresh, ...comparedBy(request) });
  const written = await writePages(out, pageFiles(built));
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
