import { listParities, type RecordedParity } from '../../query/list-parities.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatCount } from '../output/human.ts';
import { renderTable } from '../output/table.ts';

/** Lists what runs found of texts of models, the newest first. */
export async function parity(context: Context, table: string | undefined, limit: number): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const names = table === undefined ? await listPipelines(pipelines) : [];
  const found = await listParities(deps, { ...(table === undefined ? {} : { table }), pipelines: names, limit });
  await context.answer(found, () => renderParities(context, found));
  return EXIT.done;
}

function renderParities({ layout, hint }: Context, found: readonly RecordedParity[]): string {
  if (found.length === 0) return `no texts were compared yet; ${hint('run <pipeline> --shadow')} does\n`;
  const rows = found.map(({ run_id, model, left, right, compared_at, ...one }) => ({
    model,
    published: left,
    other: right,
    equal: one.error === null ? (one.equal ? 'yes' : 'no') : 'not compared',
    rows: countOf(one.rows),
    differing: one.error ?? countOf(one.differing),
    run: run_id,
    at: compared_at,
  }));
  const whole = ['model', 'published', 'other', 'equal'];
  const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, whole: whole.includes(name) }));
  return renderTable(rows, columns, layout);
}

function countOf(count: number | null): string | null {
  return count === null ? null : formatCount(count);
}
