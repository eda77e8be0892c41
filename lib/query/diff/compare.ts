import { type Compare, type ComparedRows, compareOpened } from '../../lake/compare/compare-rows.ts';
import { holdResources } from '../../lake/resources.ts';
import { openFiles } from '../../lake/tables/foreign-files.ts';
import { scanLarge } from '../../lake/tables/scan-large.ts';
import { scanColumns } from '../../lake/tables/table-state.ts';
import type { Borrowed, Session } from '../../ports.ts';
import { createSide, FROM, TO } from '../../sql/diff/relations.ts';
import type { ScannedFile } from '../../table/read.ts';
import type { DifferingFiles } from './differing-files.ts';
import type { MatchedColumn } from './match-columns.ts';
import type { Side } from './side.ts';

/** What is compared of two sides: columns, how each is, and by which of them rows are paired. */
export type Comparing = ComparedRows & { readonly columns: readonly MatchedColumn[] };

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
  await session.run(createSide(name, columns, await scanLarge(session, needed, opened.files, rows)));
  return opened;
}
