import type { NamedFile } from '../../core/run.ts';
import type { Context } from '../context.ts';
import { formatQuantity } from './human.ts';

const MOST_NAMED = 10;

/** What is suspended, why, and how to go on; lines with their ends. */
export function renderSuspended(pipeline: string, files: readonly NamedFile[], hint: Context['hint']): string {
  const more = files.length - MOST_NAMED;
  return [
    `${formatQuantity(files.length, 'file')} of ${pipeline} suspended: no run takes them, and none of their rows is in any table`,
    ...files.slice(0, MOST_NAMED).map(({ file, reason }) => `  ${file}: ${reason}`),
    ...(more > 0 ? [`  and ${formatQuantity(more, 'more file')}`] : []),
    `  ${hint(`files retry ${pipeline}`)} takes them again`,
    '',
  ].join('\n');
}
