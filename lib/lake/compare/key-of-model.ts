import { ROW_HASH } from '../../core/dedupe.ts';
import { isKeyed, VALID_FROM } from '../../core/keyed.ts';
import type { ModelSpec } from '../../core/spec.ts';

/** The columns by which the rows of a model's table are told apart, as the model says it; null where it does not. */
export function keyOfModel(model: ModelSpec): readonly string[] | null {
  if (isKeyed(model)) return model.mode.kind === 'scd2' ? [...model.mode.key, VALID_FROM] : model.mode.key;
  const dedupe = model.layer === 'silver' && model.mode.kind === 'append' ? model.mode.dedupe : null;
  if (dedupe?.by === 'key') return dedupe.columns;
  const unique = model.expect.find((one) => one.kind === 'unique')?.columns ?? null;
  return unique?.includes(ROW_HASH) === true ? null : unique;
}
