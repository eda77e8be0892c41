import { join } from 'node:path';
import { renderSite } from '../../report/site/site.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { type Context, EXIT } from '../context.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';
import { gatherReport, writePages } from '../page/gather.ts';

export type DocsRequest = { readonly out: string; readonly days?: number; readonly fresh?: boolean };

/** Writes a site of the whole lake: a page for each pipeline, source and table. */
export async function docs(
  context: Context,
  { out, days = DEFAULT_DAYS, fresh = false }: DocsRequest,
): Promise<number> {
  const { report, whole } = await gatherReport(context, undefined, { days, fresh });
  const written = await writePages(out, renderSite(report));
  const bytes = written.reduce((sum, one) => sum + one.bytes, 0);
  const index = join(out, 'index.html');
  await context.answer(
    { index, pages: written.length, bytes },
    () => `${index} (${formatQuantity(written.length, 'page')}, ${formatBytes(bytes)})\n`,
  );
  return whole ? EXIT.done : EXIT.wrongUse;
}
