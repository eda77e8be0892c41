import type { Sql } from '../../core/sql-text.ts';
import type { Session } from '../../ports.ts';
import { countColumns, renderPlainScan } from '../../sql/diff/plain-scan.ts';
import { renderScan, type ScanColumn, type ScanFile } from '../../sql/scan.ts';

/** Files of fewer rows are read sooner than they are looked into. */
const LARGE = 10_000;

/** Columns of opened files, `rows` in all: by name where that is as good as by field id, since it is less work. */
export async function scanSide(
  session: Session,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
  rows: number,
): Promise<Sql> {
  const paths = files.filter((file) => typeof file === 'string');
  const looked = paths.length > 0 && paths.length === files.length && rows / paths.length >= LARGE;
  const plain = looked && (await isPlain(session, columns, paths));
  return plain ? renderPlainScan(columns, paths) : renderScan(columns, files, rows);
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
