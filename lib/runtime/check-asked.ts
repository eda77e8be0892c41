import type { Asked } from '../core/asked.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { withVars } from '../core/vars.ts';
import { selectModels } from '../plan/select-models.ts';

/**
 * Whether the models and variables that a run is asked for are there. Asked before the run begins, what was mistyped is no run that
 * failed. Throws InvalidInput for what the pipeline does not have.
 */
export function checkAsked(
  spec: PipelineSpec,
  { select, exclude, vars }: Pick<Asked, 'select' | 'exclude' | 'vars'>,
): void {
  withVars(spec, vars ?? {});
  if ((select ?? exclude) === undefined) return;
  const unchanged = { modified: new Set<string>(), fresh: new Set<string>() };
  selectModels(spec, { select: select ?? [], exclude: exclude ?? [] }, unchanged);
}
