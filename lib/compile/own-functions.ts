import type { Statement } from '../core/statement.ts';
import type { JsonValue, Session } from '../ports.ts';
import { CASEFOLD, dropCasefold, setCasefold } from '../sql/casefold/casefold.ts';
import { dropRunDate, setRunDate } from '../sql/run-date.ts';
import { type Node, textAt, walk } from '../sql/tree.ts';

/** Functions that SQL of a pipeline has beside those of DuckDB, and that only a pipeline pays for whose SQL names them. */
export const OF_RUN_DATE: readonly string[] = ['run_date', 'run_time'];

type OwnFunctions = {
  readonly names: readonly string[];
  readonly define: () => readonly Statement[];
  readonly drop: () => readonly Statement[];
};

/** SQL is bound against a run date, of which only the type matters. */
const SOME_RUN = { date: '2000-01-01', time: '2000-01-01T00:00:00.000Z' };

const DATES: OwnFunctions = { names: OF_RUN_DATE, define: () => setRunDate(SOME_RUN), drop: dropRunDate };
const FOLDS: OwnFunctions = { names: [CASEFOLD], define: setCasefold, drop: dropCasefold };

type Knowing = {
  readonly session: Session;
  /** Whether any SQL that it has parsed names the run date. */
  readonly isDated: () => boolean;
  /** Whether any folds case. */
  readonly isFolding: () => boolean;
  readonly forget: () => Promise<void>;
};

/** A session that knows each of the functions from the first SQL on that names it. */
export function knowingFunctions(session: Session): Knowing {
  const known = new Set<OwnFunctions>();
  return {
    session: {
      ...session,
      async parse(sql) {
        const tree = await session.parse(sql);
        for (const one of [DATES, FOLDS]) {
          if (known.has(one) || !namesOne(tree, one.names)) continue;
          known.add(one);
          for (const statement of one.define()) await session.run(statement);
        }
        return tree;
      },
    },
    isDated: () => known.has(DATES),
    isFolding: () => known.has(FOLDS),
    async forget() {
      for (const one of known) for (const statement of one.drop()) await session.run(statement);
    },
  };
}

function namesOne(tree: JsonValue, names: readonly string[]): boolean {
  return [...walk(tree)].some((node) => names.some((name) => isCalled(node, name)));
}

/** Whether a node of a tree is a call of the function of that name. */
export function isCalled(node: Node, name: string): boolean {
  return node['class'] === 'FUNCTION' && textAt(node, 'function_name').toLowerCase() === name;
}
