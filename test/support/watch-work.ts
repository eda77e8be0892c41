import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { ObjectStore, Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** What was done, in numbers that no clock and no machine changes. */
export type Work = {
  sessions: number;
  /** How often statements of a name were run. */
  statements: Record<string, number>;
  /** Rows that scans gave, by the statement and what it scanned, where there were any. */
  scanned: Record<string, number>;
  /** Files that were lent whole, parts of others, and their bytes. */
  lent: { files: number; parts: number; bytes: number };
  published: { files: number; bytes: number };
};

/** Watches what a lake's engine and store are asked for. `take` answers what was done since it was last asked. */
export function watchWork(): { readonly watch: (deps: StepDeps) => StepDeps; readonly take: () => Work } {
  let work = nothing();
  const seen = (): Work => work;
  return {
    watch: (deps) => ({
      ...deps,
      store: watchStore(deps.store, seen),
      engine: {
        // A session that is locked cannot be asked what its statements did.
        async open({ folders: _, ...options }) {
          seen().sessions += 1;
          const profile = join(deps.settings.scratch, 'profile.json');
          return watchSession(await deps.engine.open(options), profile, seen);
        },
      },
    }),
    take() {
      const done = work;
      work = nothing();
      return { ...done, statements: sorted(done.statements), scanned: sorted(done.scanned) };
    },
  };
}

function nothing(): Work {
  return {
    ...{ sessions: 0, statements: {}, scanned: {} },
    ...{ lent: { files: 0, parts: 0, bytes: 0 }, published: { files: 0, bytes: 0 } },
  };
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function watchSession(session: Session, profile: string, seen: () => Work): Promise<Session> {
  const settings = [
    `SET enable_profiling = 'json'`,
    `SET profiling_output = ${quoteText(profile)}`,
    `SET profiling_coverage = 'ALL'`,
  ];
  for (const text of settings) await session.run({ name: 'profile', text: userSql(text) });
  const noted = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const done = await act();
    const { statements, scanned } = seen();
    statements[name] = (statements[name] ?? 0) + 1;
    for (const [what, rows] of scansOf(JSON.parse(readFileSync(profile, 'utf8')) as Operator)) {
      const key = `${name}: ${what}`;
      scanned[key] = (scanned[key] ?? 0) + rows;
    }
    return done;
  };
  return {
    ...session,
    run: (statement) => noted(statement.name, () => session.run(statement)),
    rows: (statement) => noted(statement.name, () => session.rows(statement)),
    copy: (statement) => noted(statement.name, () => session.copy(statement)),
  };
}

type Operator = {
  readonly operator_type?: string;
  readonly operator_cardinality?: number;
  readonly extra_info?: { readonly Function?: string; readonly Table?: string };
  readonly children?: readonly Operator[];
};

function scansOf(operator: Operator): readonly (readonly [string, number])[] {
  const { operator_type: type, operator_cardinality: rows = 0, extra_info: info, children = [] } = operator;
  const below = children.flatMap(scansOf);
  if (type !== 'TABLE_SCAN' || rows === 0) return below;
  return [[info?.Table ?? info?.Function ?? type, rows], ...below];
}

function watchStore(store: ObjectStore, seen: () => Work): ObjectStore {
  return {
    ...store,
    async borrow(objects) {
      const borrowed = await store.borrow(objects);
      const { lent } = seen();
      for (const path of borrowed.paths.values()) {
        lent.files += 1;
        lent.bytes += statSync(path).size;
      }
      return borrowed;
    },
    async borrowParts(objects) {
      const { lent } = seen();
      for (const { start, end } of objects.flatMap(({ ranges }) => ranges)) {
        lent.parts += 1;
        lent.bytes += end - start;
      }
      return store.borrowParts(objects);
    },
    async publish(path, key) {
      const info = await store.publish(path, key);
      const { published } = seen();
      published.files += 1;
      published.bytes += info.size;
      return info;
    },
  };
}
