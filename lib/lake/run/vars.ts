import { InvalidInput, type Problem } from '../../core/errors.ts';
import type { PipelineSpec, Variable } from '../../core/spec.ts';
import type { Statement } from '../../core/statement.ts';
import { oneOf } from '../../core/suggest.ts';
import { renderColumnType } from '../../core/types.ts';
import { type VarValues, withVars } from '../../core/vars.ts';
import type { Engine, Session } from '../../ports.ts';
import { setCasefold } from '../../sql/casefold/casefold.ts';
import { setRunDate } from '../../sql/run-date.ts';
import { findForbiddenVars, findMisfitVars, setVars } from '../../sql/vars.ts';

/**
 * A pipeline with the variables of a run. Throws InvalidInput for a variable that it does not have, and for every value
 * that is none of its variable's type.
 */
export async function bindVars(session: Session, spec: PipelineSpec, given: VarValues): Promise<PipelineSpec> {
  const bound = withVars(spec, given);
  const vars = bound.vars ?? [];
  if (bound === spec || vars.length === 0) return spec;
  const found = async (statement: Statement | undefined): Promise<typeof vars> => {
    const [row] = statement === undefined ? [] : await session.rows(statement);
    return (Array.isArray(row?.['misfits']) ? row['misfits'] : []).flatMap((at) => vars[Number(at)] ?? []);
  };
  const misfits = await found(findMisfitVars(vars));
  const forbidden = (await found(findForbiddenVars(vars))).filter((one) => !misfits.includes(one));
  if (misfits.length + forbidden.length === 0) return bound;
  const problem = ({ name, value }: Variable, expected: string): Problem => ({
    ...{ file: 'vars', place: name },
    ...{ got: JSON.stringify(value), expected },
  });
  const problems = [
    ...misfits.map((one) => problem(one, renderColumnType(one.type))),
    ...forbidden.map((one) => problem(one, oneOf(one.value ?? '', one.in ?? []))),
  ];
  throw new InvalidInput(`variables of ${spec.name} cannot have these values:`, problems);
}

/** Steps run a pipeline's SQL in sessions that know its variables, the date of the run, and what folds case. */
export function knowingVars<Deps extends { readonly engine: Engine }>(
  deps: Deps,
  { vars = [], dated, folds, runAt }: Pick<PipelineSpec, 'vars' | 'dated' | 'folds' | 'runAt'>,
): Deps {
  const known = [
    ...setVars(vars),
    ...(dated === undefined || runAt === undefined ? [] : setRunDate(runAt)),
    ...(folds === undefined ? [] : setCasefold()),
  ];
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
