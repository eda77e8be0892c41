import type { Awaiting } from '../../core/promote.ts';
import type { Context } from '../context.ts';

/** A run that has prepared all its tables and waits, and what to do about it. */
export function renderAwaiting({ hint }: Pick<Context, 'hint'>, pipeline: string, awaiting: Awaiting): string {
  const { run_id, expires_at, because, differing = [], digest } = awaiting;
  return [
    `run ${run_id} of ${pipeline}  AWAITING_APPROVAL`,
    '',
    ...because.map((one) => `  does not hold: ${one}`),
    ...differing.map((one) => `  compared texts: ${one}`),
    `  prepared, and not published; rejected at ${expires_at} unless somebody decides`,
    `  digest ${digest}`,
    '',
    'next:',
    `  ${hint(`review ${run_id}`)}`,
    `  ${hint(`approve ${run_id} --by NAME --reason TEXT`)}`,
    `  ${hint(`reject ${run_id} --by NAME --reason TEXT`)}`,
    '',
  ].join('\n');
}
