import type { PublishedText } from '../../core/implementations.ts';
import { visibleLine } from '../../core/visible.ts';

/** `candidate (not current), chosen by ana at ...`. */
export function renderText({ use, others, why }: PublishedText): string {
  return `${use}${others.length === 0 ? '' : ` (not ${others.join(', ')})`}, ${visibleLine(why)}`;
}
