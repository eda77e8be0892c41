import { visibleLine } from '../../core/visible.ts';
import { type FetchedSource, fetchedSources, fetchSources } from '../../runtime/origins/fetch-sources.ts';
import { tableLander } from '../../runtime/origins/table-lander.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';

/** Lands what sources have elsewhere. The lake's folder is made only once the request has proved right. */
export async function fetchInto(context: Context, pipeline: string, source: string | undefined): Promise<number> {
  const spec = await (await openLake(context, 'read')).deps.specs(pipeline);
  fetchedSources(spec, source);
  const lake = await openLake(context, 'write');
  await lake.make();
  const fetched = await fetchSources(
    { ...lake.deps, table: tableLander({ ...lake.deps, unique: lake.deps.ids.unique }) },
    spec,
    source,
  );
  await context.answer({ pipeline, sources: fetched }, () => renderFetched(context, pipeline, fetched));
  return fetched.some((one) => 'failed' in one) ? EXIT.failed : EXIT.done;
}

function renderFetched(context: Context, pipeline: string, fetched: readonly FetchedSource[]): string {
  const landed = fetched.some((one) => 'files' in one && one.files.length > 0);
  const next = ['', 'next:', `  ${context.hint(`run ${pipeline}`)}`];
  return [...fetched.map(lineOf), ...(landed ? next : []), ''].join('\n');
}

function lineOf(one: FetchedSource): string {
  if ('failed' in one) return `${one.source}: ${one.failed.name}: ${one.failed.message}`;
  if (one.nothing === 'empty') return `${one.source}: no records; nothing was landed`;
  const records = formatQuantity(one.records, 'record');
  if (one.nothing === 'unchanged') return `${one.source}: ${records}, those that were landed last; nothing was landed`;
  if (one.nothing === 'overtaken')
    return `${one.source}: ${records}; another fetch has landed others meanwhile, or is about to, and nothing was landed`;
  const bytes = one.files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    `${one.source}: ${records}, ${formatBytes(bytes)}`,
    ...one.files.map(({ key }) => `  ${visibleLine(key)}`),
  ].join('\n');
}
