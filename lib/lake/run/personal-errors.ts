import { EngineError } from '../../core/errors.ts';
import { holdsPersonal } from '../../core/personal.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import type { Engine, Session } from '../../ports.ts';
import { knowingVars } from './vars.ts';

/** An error of the engine: its kind, and its words. */
const SAID = /(?:^|: )((?:\w+ )*\w+) Error: (.*)/s;

/**
 * Kinds of errors that are of names in the SQL, of files and of memory. Any other may quote a value: functions that parse SQL
 * raise those of the parser as well, and what is fatal repeats what came before it.
 */
const OPEN: ReadonlySet<string> = new Set([
  'Binder',
  'Catalog',
  'IO',
  'HTTP',
  'Permission',
  'Missing Extension',
  'Out of Memory',
  'INTERRUPT',
]);

/** How the engine speaks of a Parquet file that it cannot read, which is no value. */
const OF_FILES = /^(TProtocolException|Failed to read file|File '|No magic bytes)/;

/** What steps run a pipeline's SQL with: sessions that know its variables and, where it has personal columns, quote no value. */
export function ofPipeline<Deps extends { readonly engine: Engine }>(deps: Deps, spec: PipelineSpec): Deps {
  const knowing = knowingVars(deps, spec);
  if (!holdsPersonal(spec)) return knowing;
  return withoutValues(knowing);
}

/** Sessions whose errors quote no value. */
export function withoutValues<Deps extends { readonly engine: Engine }>(deps: Deps): Deps {
  const open: Engine['open'] = async (options) => withholding(await deps.engine.open(options));
  return { ...deps, engine: { open } };
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
    const found = cause instanceof EngineError ? SAID.exec(cause.message) : null;
    if (!(cause instanceof EngineError) || found === null) throw cause;
    const [, kind = '', words = ''] = found;
    if (OPEN.has(kind) || OF_FILES.test(words)) throw cause;
    const before = cause.message.slice(0, found.index);
    throw new EngineError(
      `${before}${before === '' ? '' : ': '}${kind} Error: what the engine says of it is withheld, since the pipeline has personal columns`,
    );
  }
}
