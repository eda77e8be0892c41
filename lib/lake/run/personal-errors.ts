import { EngineError } from '../../core/errors.ts';
import { holdsPersonal } from '../../core/personal.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { Engine, Session } from '../../ports.ts';
import { knowingVars } from './vars.ts';

/** Kinds of the engine's errors that quote values. What others say is of files, memory and the SQL itself. */
const QUOTING = /(Conversion|Invalid Input|Out of Range|Constraint|Mismatch Type|Invalid Type) Error: (.*)/s;

/** How the engine speaks of a Parquet file that it cannot read, which is no value. */
const OF_FILES = /^(TProtocolException|Failed to read file|File '|No magic bytes)/;

/** What steps run a pipeline's SQL with: sessions that know its variables and, where it has personal columns, quote no value. */
export function ofPipeline<Deps extends { readonly engine: Engine }>(deps: Deps, spec: PipelineSpec): Deps {
  const knowing = knowingVars(deps, spec);
  if (!holdsPersonal(spec)) return knowing;
  const open: Engine['open'] = async (options) => withholding(await knowing.engine.open(options));
  return { ...knowing, engine: { open } };
}

function withholding(session: Session): Session {
  return {
    run: (statement) => withheld(session.run(statement)),
    rows: (statement) => withheld(session.rows(statement)),
    describe: (statement) => withheld(session.describe(statement)),
    copy: (statement) => withheld(session.copy(statement)),
    parse: (sql) => session.parse(sql),
    interrupt: () => session.interrupt(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The same error without the engine's words, and without the error that has them. */
async function withheld<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const found = cause instanceof EngineError ? QUOTING.exec(cause.message) : null;
    if (!(cause instanceof EngineError) || found === null || OF_FILES.test(found[2] ?? '')) throw cause;
    const before = cause.message.slice(0, found.index);
    throw new EngineError(
      `${before}${found[1]} Error: what the engine says of it is withheld, since the pipeline has personal columns`,
    );
  }
}
