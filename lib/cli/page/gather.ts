import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collectPage, type PageRequest } from '../../query/status/page-facts.ts';
import { pipelinesIn } from '../../query/status/status-facts.ts';
import type { Report } from '../../report/page/report.ts';
import { type PageFile, reportOf } from '../../runtime/page/report-of.ts';
import type { Context } from '../context.ts';
import { tellEach } from '../each-pipeline.ts';
import { openLakeAt } from '../open-lake.ts';

/** Collects what pages say of a pipeline, or of all; `whole` is false where nothing can be told of some, which stderr names. */
export async function gatherReport(
  context: Context,
  pipeline: string | undefined,
  request: PageRequest,
): Promise<{ readonly report: Report; readonly whole: boolean }> {
  const { deps } = await openLakeAt(context, 'read');
  const collect = (name: string): ReturnType<typeof collectPage> => collectPage(deps, name, request);
  const { found, whole } =
    pipeline === undefined
      ? await tellEach(context, await pipelinesIn(deps), collect)
      : { found: [await collect(pipeline)], whole: true };
  const lake = pipeline === undefined ? 'Strata' : `Strata: ${pipeline}`;
  return { report: reportOf(found, { lake, now: deps.clock.now().getTime(), ...request }), whole };
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
