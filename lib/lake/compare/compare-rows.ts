import { EngineError } from '../../core/errors.ts';
import type { Row, Session } from '../../ports.ts';
import { compareRows } from '../../sql/diff/as-rows.ts';
import {
  type Compared,
  compareByKey,
  FROM_ONCE,
  FROM_TWICE,
  type KeyComparison,
  selectTwice,
  setTwiceApart,
  TO_ONCE,
  TO_TWICE,
} from '../../sql/diff/by-key.ts';
import { FROM, TO } from '../../sql/diff/relations.ts';
import { countRows, selectTotals } from '../../sql/diff/totals.ts';

/** What is compared of two sides: how each column is, and by which of them rows are paired. */
export type ComparedRows = {
  readonly compared: readonly Compared[];
  /** Numbers of columns; null: rows are compared as they are. */
  readonly keys: readonly number[] | null;
  readonly sample: number;
};

/** Answers of the engine, in which columns are called by their number. */
export type Compare = {
  readonly totals: { readonly from: Row; readonly to: Row };
  readonly found: Row;
  /** Present: there are keys that come more than once. */
  readonly twice?: { readonly keys: Row; readonly rows: Row };
};

/** Compares the two sides that a session has. Memory is bounded, whatever they hold: the engine spills what it joins and groups. */
export async function compareOpened(session: Session, { compared, keys, sample }: ComparedRows): Promise<Compare> {
  if (keys === null) {
    const found = await one(session, compareRows([FROM, TO], { columns: compared, sample }));
    return { totals: await totalsOf(session, compared), found };
  }
  const rows = [await rowsOf(session, FROM), await rowsOf(session, TO)] as const;
  const asked = { columns: compared, keys, atMost: BigInt(rows[0] + rows[1] + 1), sample };
  const found = await compareOnce(session, asked, rows);
  if (found === undefined)
    return { totals: await totalsOf(session, compared), ...(await compareApart(session, asked)) };
  return { totals: { from: within(found, 'from_', rows[0]), to: within(found, 'to_', rows[1]) }, found };
}

async function totalsOf(session: Session, compared: readonly Compared[]): Promise<Compare['totals']> {
  const types = compared.map(({ type }) => type);
  return { from: await one(session, selectTotals(FROM, types)), to: await one(session, selectTotals(TO, types)) };
}

async function rowsOf(session: Session, side: typeof FROM): Promise<number> {
  return Number((await one(session, countRows(side)))['rows']);
}

/** The sums of one side that a comparison by key has made on its way. */
function within(found: Row, side: 'from_' | 'to_', rows: number): Row {
  const sums = Object.entries(found).filter(([name]) => name.startsWith(side));
  return { rows, ...Object.fromEntries(sums.map(([name, sum]) => [name.slice(side.length), sum])) };
}

/**
 * Most keys come once, which the pairs themselves show: there are as many as rows then. Undefined where some come more often,
 * also where the engine gave up over very many rows of one key.
 */
async function compareOnce(
  session: Session,
  asked: KeyComparison,
  [from, to]: readonly [number, number],
): Promise<Row | undefined> {
  const found = await one(session, compareByKey([FROM, TO], asked)).catch((cause: unknown) => {
    if (cause instanceof EngineError) return undefined;
    throw cause;
  });
  if (found === undefined) return undefined;
  const [removed, added] = [Number(found['removed']), Number(found['added'])];
  const paired = Number(found['pairs']) - removed - added;
  const once = paired + removed === from && paired + added === to && Number(found['alone']) === removed + added;
  return once ? found : undefined;
}

/** The rows whose keys come once by their keys, and the others as they are. */
async function compareApart(session: Session, asked: KeyComparison): Promise<Pick<Compare, 'found' | 'twice'>> {
  for (const statement of setTwiceApart(asked.keys)) await session.run(statement);
  return {
    found: await one(session, compareByKey([FROM_ONCE, TO_ONCE], asked)),
    twice: {
      keys: await one(session, selectTwice(asked)),
      rows: await one(session, compareRows([FROM_TWICE, TO_TWICE], { columns: asked.columns, sample: asked.sample })),
    },
  };
}

async function one(session: Session, statement: Parameters<Session['rows']>[0]): Promise<Row> {
  return (await session.rows(statement))[0] ?? {};
}
