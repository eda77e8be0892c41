import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { Taken } from '../../lake/ops/ledger.ts';

/** Throws InvalidInput where tables that are made anew would lose rows, because the files that brought them are no more. */
export function checkGone(
  { name }: Pick<PipelineSpec, 'name'>,
  { gone }: Pick<Taken, 'gone'>,
  asked = 'backfill',
): void {
  if (gone.length === 0) return;
  const shown = gone
    .slice(0, MOST_NAMED)
    .map(({ key, changed }) => `  ${key}${changed ? ' (has another content now)' : ''}`);
  const more = gone.length > MOST_NAMED ? [`  and ${gone.length - MOST_NAMED} more`] : [];
  throw new InvalidInput(
    [
      `cannot ${asked} ${name}: ${gone.length} files that were ingested are not in bronze as they were; got nothing there, expected`,
      ...shown,
      ...more,
      `Nothing was done. Restore them, or do without their rows: strata backfill ${name} --allow-missing`,
    ].join('\n'),
  );
}

const MOST_NAMED = 10;
