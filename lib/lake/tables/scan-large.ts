import type { Sql } from '../../core/sql-text.ts';
import type { Session } from '../../ports.ts';
import { countColumns } from '../../sql/count-columns.ts';
import { isWhole, pathOf, readsByName, renderScan, type ScanColumn, type ScanFile, writtenAs } from '../../sql/scan.ts';

/** Files of fewer rows are read sooner than they are looked into. */
const LARGE = 10_000;

/**
 * Columns of opened files, `rows` in all. Where it is not known under which names files have them, as of other engines' files,
 * the footers of large ones are asked: by name is less work.
 */
export async function scanLarge(
  session: Session,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
  rows: number,
): Promise<Sql> {
  const whole = files.filter(isWhole);
  const looked =
    whole.length === files.length && !readsByName(columns, whole) && rows / Math.max(1, whole.length) >= LARGE;
  const paths = whole.map(pathOf);
  if (!looked || !(await isPlain(session, columns, paths))) return renderScan(columns, files, rows);
  return renderScan(columns, writtenAs(columns, paths), rows);
}

/** Whether all files have the columns under their names and ids, each in one type; none that has others in it is looked at. */
export async function isPlain(
  session: Session,
  columns: readonly ScanColumn[],
  paths: readonly string[],
): Promise<boolean> {
  if (columns.some(({ type }) => type.kind === 'list' || type.kind === 'struct')) return false;
  const found = await session.rows(countColumns(paths));
  return columns.every(({ name, id }) => {
    const such = found.filter((row) => String(row['name']).toLowerCase() === name.toLowerCase());
    const [only] = such;
    return (
      such.length === 1 &&
      only?.['name'] === name &&
      only['field_id'] === id &&
      only['files'] === paths.length &&
      only['types'] === 1
    );
  });
}
