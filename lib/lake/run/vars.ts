import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { renderColumnType } from '../../core/types.ts';
import { type VarValues, withVars } from '../../core/vars.ts';
import type { Engine, Session } from '../../ports.ts';
import { setRunDate } from '../../sql/run-date.ts';
import { findMisfitVars, setVars } from '../../sql/vars.ts';

/**
 * A pipeline with the variables of a run. Throws InvalidInput for a variable that it does not have, and for every value
 * that is none of its variable's type.
 */
export async function bindVars(session: Session, spec: PipelineSpec, given: VarValues): Promise<PipelineSpec> {
  const bound = withVars(spec, given);
  const vars = bound.vars ?? [];
  if (bound === spec || vars.length === 0) return spec;
  const [misfit] = await session.rows(findMisfitVars(vars));
  const wrong = (Array.isArray(misfit?.['misfits']) ? misfit['misfits'] : []).flatMap((at) => vars[Number(at)] ?? []);
  if (wrong.length === 0) return bound;
  const problems = wrong.map(({ name, value, type }) => ({
    file: 'vars',
    place: name,
    got: JSON.stringify(value),
    expected: renderColumnType(type),
  }));
  throw new InvalidInput(`variables of ${spec.name} cannot have these values:`, problems);
}

/** Steps run a pipeline's SQL in sessions that know its variables, and the date of the run. */
export function knowingVars<Deps extends { readonly engine: Engine }>(
  deps: Deps,
  { vars = [], dated, runAt }: Pick<PipelineSpec, 'vars' | 'dated' | 'runAt'>,
): Deps {
  const known = [...setVars(vars), ...(dated === undefined || runAt === undefined ? [] : setRunDate(runAt))];
  if (known.length === 0) return deps;
  const open: Engine['open'] = async (options) => {
    const session = await deps.engine.open(options);
    try {
      for (const statement of known) await session.run(statement);
      return session;
    } catch (cause) {
      await session[Symbol.asyncDispose]();
      throw cause;
    }
  };
  return { ...deps, engine: { open } };
}
