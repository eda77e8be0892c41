import type { Context } from '../context.ts';

/** Says which columns were masked, and how they are shown. */
export function noteMasked(context: Context, masked: readonly string[]): void {
  if (masked.length > 0) context.note(`personal, and masked: ${masked.join(', ')}; --show-personal shows them`);
}
