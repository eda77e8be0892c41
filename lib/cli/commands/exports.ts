import type { ExportOutcome } from '../../core/exports.ts';
import { visibleLine } from '../../core/visible.ts';
import { listExports } from '../../query/list-exports.ts';
import { type ReissueRequest, reissueExports } from '../../runtime/reissue-exports.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderExports } from '../output/exports.ts';
import { formatCount } from '../output/human.ts';
import { columnsOf } from '../output/rows.ts';
import { renderTable } from '../output/table.ts';

/** The filters as the command line has them. */
export type ExportListOptions = { readonly model?: string; readonly state?: string; readonly limit: number };

const WHOLE = ['model', 'kind', 'state'];
/** For machines. */
const HIDDEN = ['sha256', 'object', 'period'];

export async function list(
  context: Context,
  pipeline: string,
  { limit, ...filter }: ExportListOptions,
): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const found = await listExports(deps, pipeline, filter, limit);
  await context.answer(found, () => {
    if (found.total === 0) return `no exports of ${visibleLine(pipeline)} that match\n`;
    const columns = columnsOf(found.exports).filter(({ name }) => !HIDDEN.includes(name));
    const shown = columns.map((column) => ({ ...column, whole: WHOLE.includes(column.name) }));
    const rest = found.total - found.exports.length;
    const more = rest === 0 ? '' : `${formatCount(rest)} more of ${formatCount(found.total)}: --limit shows more\n`;
    return `${renderTable(found.exports, shown, context.layout)}${more}`;
  });
  return EXIT.done;
}

/** Exports a table as it is now. Throws LockHeld while a run works. */
export async function reissue(context: Context, request: ReissueRequest): Promise<number> {
  const { deps } = await openLakeAt(context, 'write');
  const exports: readonly ExportOutcome[] = await reissueExports(deps, request);
  await context.answer({ pipeline: request.pipeline, exports }, () => renderExports(exports));
  return EXIT.done;
}
