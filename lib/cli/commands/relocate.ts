import { type RelocateAnswer, type RelocateRequest, relocateLake } from '../../runtime/relocate-lake.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatCount, formatQuantity } from '../output/human.ts';
import { renderTable } from '../output/table.ts';

/** Rewrites the metadata of a lake that was moved or copied, for readers that take locations as they are written. */
export async function relocate(context: Context, request: RelocateRequest): Promise<number> {
  const mode = request.dryRun === true ? 'read' : 'write';
  const { deps } = await openLake(context, mode, context.stderr, { rebase: true });
  const answer = await relocateLake(deps, request);
  await context.answer(answer, () => renderRelocation(answer, context));
  for (const { table, reason } of answer.failed) context.note(`${table} stays as it is: ${reason}`);
  return answer.failed.length === 0 ? EXIT.done : EXIT.failed;
}

function renderRelocation({ dry_run, relocated, unchanged }: RelocateAnswer, { layout, hint }: Context): string {
  const others = `${formatQuantity(unchanged, 'table')} with nothing to rewrite\n`;
  if (relocated.length === 0) return others;
  const rows = relocated.map(({ table, from, ...counted }) => ({
    table,
    'was at': from.join(', '),
    snapshots: formatCount(counted.snapshots),
    'manifest lists': formatCount(counted.manifest_lists),
    manifests: formatCount(counted.manifests),
  }));
  const count = (name: string) => ({ name, type: 'BIGINT' });
  const columns = [
    { name: 'table', whole: true },
    { name: 'was at' },
    ...['snapshots', 'manifest lists', 'manifests'].map(count),
  ];
  const next = dry_run ? `next:\n  ${hint('relocate')}\n` : '';
  return `${dry_run ? 'would rewrite' : 'rewrote'}:\n${renderTable(rows, columns, layout)}${others}${next}`;
}
