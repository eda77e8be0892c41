import type { Bin, MaintainedTable } from '../../core/maintenance.ts';
import type { Sql } from '../../core/sql-text.ts';
import { fileParts, filesAfter } from '../../plan/maintenance.ts';
import type { Session } from '../../ports.ts';
import { createCuts, createSample, findCells, renderCell, renderZordered, ZORDER } from '../../sql/zorder.ts';
import type { PartitionRows } from '../files/stage-files.ts';

type Layout = Pick<PartitionRows, 'from' | 'sortBy' | 'orderBy' | 'fileOf'>;

/**
 * How the rows of a bin are to lie in its files. Along a Z-order each file has a cell of it, that is a box among the columns, as
 * far as rows differ: where more of them than a file should have are alike, files are cut by their size.
 */
export async function layOut(
  session: Session,
  { sort, zorder: columns }: Pick<MaintainedTable, 'sort' | 'zorder'>,
  from: Sql,
  bin: Pick<Bin, 'bytes' | 'file_bytes' | 'widths'>,
): Promise<Layout> {
  if (columns.length === 0) return { from, sortBy: sort };
  await session.run(createSample(from, columns));
  await session.run(createCuts(columns));
  const zorder = { columns, ...(bin.widths && { widths: bin.widths }) };
  const ordered = { from: renderZordered(from, zorder), sortBy: sort, orderBy: [ZORDER] };
  const files = filesAfter(bin);
  if (files === 1) return ordered;
  const { least, most } = fileParts(files);
  const cells = await session.rows(findCells(zorder, least));
  if (cells.some(({ part }) => Number(part) > most)) return ordered;
  return { ...ordered, fileOf: renderCell(cells.map(({ place }) => BigInt(String(place)))) };
}
