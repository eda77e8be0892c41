import { InvalidInput } from './errors.ts';
import type { PipelineSpec } from './spec.ts';
import { didYouMean } from './suggest.ts';

/** Values of variables by name, each as its text; null for NULL. */
export type VarValues = Readonly<Record<string, string | null>>;

/**
 * A pipeline whose variables have these values, and the others their defaults; its models know the values that their SQL
 * uses. Whether a text is a value of its variable's type only the engine can tell. Throws InvalidInput for a variable that
 * the pipeline does not have.
 */
export function withVars(spec: PipelineSpec, given: VarValues): PipelineSpec {
  const known = (spec.vars ?? []).map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const expected = known.length === 0 ? 'none: it declares no vars' : `one of ${known.join(', ')}`;
    throw new InvalidInput(
      `no variable ${JSON.stringify(name)} in ${spec.name}: expected ${expected}${didYouMean(name, known)}`,
    );
  }
  if (spec.vars === undefined || Object.keys(given).length === 0) return spec;
  const vars = spec.vars.map((one) =>
    Object.hasOwn(given, one.name) ? { ...one, value: given[one.name] ?? null } : one,
  );
  const values = valuesOf(vars);
  const models = spec.models.map((model) =>
    model.vars === undefined
      ? model
      : { ...model, vars: Object.fromEntries(Object.keys(model.vars).map((name) => [name, values[name] ?? null])) },
  );
  return { ...spec, vars, models };
}

/** The values of variables as they stand in a pipeline. */
export function valuesOf(vars: PipelineSpec['vars']): VarValues {
  return Object.fromEntries((vars ?? []).map(({ name, value }) => [name, value]));
}
