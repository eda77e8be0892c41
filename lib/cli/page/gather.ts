import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collectPage, type PageRequest } from '../../query/status/page-facts.ts';
import { pipelinesIn } from '../../query/status/status-facts.ts';
import type { Report } from '../../report/page/report.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { readKeptPage } from '../../runtime/page/kept-page.ts';
import { type PageFile, reportOf } from '../../runtime/page/report-of.ts';
import type { Context } from '../context.ts';
import { tellEach } from '../each-pipeline.ts';
import { openLakeAt } from '../open-lake.ts';

/** What a report is asked for; `fresh`: what runs have left of it is not taken. */
export type GatherRequest = PageRequest & { readonly fresh?: boolean };

/**
 * What pages say of a pipeline, or of all; `whole` is false where nothing can be told of some, which stderr names. Of a deployed lake it is what the
 * latest runs have left, where they have, and where nothing is asked that they cannot say; as of the first of them.
 */
export async function gatherReport(
  context: Context,
  pipeline: string | undefined,
  { fresh = false, ...request }: GatherRequest,
): Promise<{ readonly report: Report; readonly whole: boolean }> {
  const { deps } = await openLakeAt(context, 'read');
  const now = deps.clock.now().getTime();
  const keeps = context.deployed !== undefined && !fresh && request.days === DEFAULT_DAYS && !('compared' in request);
  const collect = async (name: string): Promise<Report> => {
    const kept = keeps ? await readKeptPage(deps.store, name) : undefined;
    return kept ?? reportOf([await collectPage(deps, name, request)], { lake: name, now, ...request });
  };
  const { found, whole } =
    pipeline === undefined
      ? await tellEach(context, await pipelinesIn(deps), collect)
      : { found: [await collect(pipeline)], whole: true };
  const lake = pipeline === undefined ? 'Strata' : `Strata: ${pipeline}`;
  const none = reportOf([], { lake, now, ...request });
  const [first = none.at] = found.map(({ at }) => at).sort();
  return { report: { ...none, at: first, pipelines: found.flatMap(({ pipelines }) => pipelines) }, whole };
}

export type WrittenFile = { readonly file: string; readonly bytes: number };

/** Writes files below a folder, which need not exist. Others that are there stay. */
export async function writePages(out: string, files: readonly PageFile[]): Promise<readonly WrittenFile[]> {
  const written: WrittenFile[] = [];
  for (const { path, text } of files) {
    const file = join(out, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    written.push({ file, bytes: Buffer.byteLength(text) });
  }
  return written;
}
