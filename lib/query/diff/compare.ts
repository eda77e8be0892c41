import { EngineError } from '../../core/errors.ts';
import { holdResources } from '../../lake/resources.ts';
import { openFiles } from '../../lake/tables/foreign-files.ts';
import { scanColumns } from '../../lake/tables/table-state.ts';
import type { Borrowed, Row, Session } from '../../ports.ts';
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
import { createSide, FROM, TO } from '../../sql/diff/relations.ts';
import { countRows, selectTotals } from '../../sql/diff/totals.ts';
import type { ScannedFile } from '../../table/read.ts';
import type { DifferingFiles } from './differing-files.ts';
import type { MatchedColumn } from './match-columns.ts';
import { scanSide } from './scan-side.ts';
import type { Side } from './side.ts';

/** What is compared of two sides: columns, how each is, and by which of them rows are paired. */
export type Comparing = {
  readonly columns: readonly MatchedColumn[];
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

/** Compares the files of two sides. Memory is bounded, whatever they hold: the engine spills what it joins and groups. */
export async function compareFiles(
  { from, to }: { readonly from: Side; readonly to: Side },
  files: Pick<DifferingFiles, 'from' | 'to'>,
  comparing: Comparing,
): Promise<Compare> {
  const { engine, settings } = from.deps;
  await using session = await engine.open({ ...settings, folders: undefined });
  await using held = holdResources();
  held.add(await openSide(session, from, files.from, { name: FROM, comparing, side: 'from' }));
  held.add(await openSide(session, to, files.to, { name: TO, comparing, side: 'to' }));
  return await compareOpened(session, comparing);
}

/** The same of a session that has both sides. */
export async function compareOpened(
  session: Session,
  { compared, keys, sample }: Omit<Comparing, 'columns'>,
): Promise<Compare> {
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

type OpenedSide = { readonly name: typeof FROM; readonly comparing: Comparing; readonly side: 'from' | 'to' };

async function openSide(
  session: Session,
  { deps, metadata }: Side,
  files: readonly ScannedFile[],
  { name, comparing, side }: OpenedSide,
): Promise<Borrowed> {
  const opened = await openFiles(session, deps.store, metadata, files);
  const rows = files.reduce((sum, file) => sum + Number(file.rows), 0);
  const columns = comparing.columns.map((column) => ({ ...column[side], as: column.type }));
  const names = new Set(columns.map((column) => column.name));
  const needed = scanColumns(metadata, []).filter((column) => names.has(column.name));
  await session.run(createSide(name, columns, await scanSide(session, needed, opened.files, rows)));
  return opened;
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
