import { EngineError } from '../core/errors.ts';
import { NotAlone, type Turns } from '../core/turns.ts';
import type { Engine, Session } from '../ports.ts';

/**
 * An engine that several units work with at once. They share its memory, so that a statement which fails beside others is no
 * statement's fault: steps, which look for the file or the row that is to blame, are not told of it before they are alone.
 */
export function besideOthers(engine: Engine, { alone }: Turns): Engine {
  const unless = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (cause) {
      if (alone() || !(cause instanceof EngineError)) throw cause;
      throw new NotAlone(cause.message, { cause });
    }
  };
  const shared = (session: Session): Session => ({
    async run(statement) {
      // Units share a database: one would read what another has made under the same name, or find it gone.
      if (statement.alone === true && !alone())
        throw new NotAlone(`${statement.name}: what it makes is no session's own`);
      await unless(() => session.run(statement));
    },
    rows: (statement) => unless(() => session.rows(statement)),
    describe: (statement) => unless(() => session.describe(statement)),
    copy: (statement) => unless(() => session.copy(statement)),
    parse: (sql) => unless(() => session.parse(sql)),
    interrupt: () => session.interrupt(),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  });
  return { open: async (options) => shared(await unless(() => engine.open(options))) };
}
