import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseProfile, type UnitProfile } from '../core/profile.ts';
import type { Engine, Ids, Session, Statement } from '../ports.ts';

/**
 * An engine that keeps of each session what DuckDB says of its statements, where that is wanted; `profiles` grows with them. Each writes its profile to a
 * file below the scratch folder, which goes with the session.
 */
export function profilingEngine(
  engine: Engine,
  ids: Pick<Ids, 'unique'>,
  wanted: boolean,
): { readonly engine: Engine; readonly profiles: readonly UnitProfile[] } {
  const profiles: UnitProfile[] = [];
  if (!wanted) return { engine, profiles };
  const open: Engine['open'] = async (options) => {
    const path = join(options.scratch, `profile-${ids.unique()}.json`);
    const unit: UnitProfile = { statements: [] };
    profiles.push(unit);
    return profiled(await engine.open({ ...options, profile: path }), path, unit);
  };
  return { engine: { open }, profiles };
}

function profiled(session: Session, path: string, unit: UnitProfile): Session {
  const keeping = async <T>({ name }: Pick<Statement, 'name'>, act: () => Promise<T>): Promise<T> => {
    // Not of all statements is there a profile; that of one before is not of this one.
    await rm(path, { force: true });
    const done = await act();
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) unit.statements.push(parseProfile(name, JSON.parse(text)));
    return done;
  };
  return {
    ...session,
    run: (statement) => keeping(statement, () => session.run(statement)),
    rows: (statement) => keeping(statement, () => session.rows(statement)),
    copy: (statement) => keeping(statement, () => session.copy(statement)),
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await rm(path, { force: true });
    },
  };
}
