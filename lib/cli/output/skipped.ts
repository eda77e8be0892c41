import type { Skipped } from '../../core/objects.ts';
import { visibleLine } from '../../core/visible.ts';
import { formatCount, formatQuantity } from './human.ts';

/** Names in bronze that no run reads, each with its reason; empty when there are none. */
export function renderSkipped({ count, names }: Skipped): string {
  if (count === 0) return '';
  const lines = names.map(({ name, reason }) => `  ${visibleLine(name)}: ${visibleLine(reason)}`);
  const more = count > names.length ? [`  and ${formatCount(count - names.length)} more`] : [];
  return [`${formatQuantity(count, 'name')} in bronze skipped:`, ...lines, ...more, ''].join('\n');
}
