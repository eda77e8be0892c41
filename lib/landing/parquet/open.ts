import { constants, copyFile, type FileHandle, open } from 'node:fs/promises';
import type { Session } from '../../ports.ts';
import { describeParquet } from '../../sql/inspect.ts';
import { type NativeType, parseNativeType, type Stored } from '../../sql/native-type.ts';
import { type Footer, readFooter } from './footer.ts';
import { nameParts } from './native.ts';
import { checkPages } from './pages.ts';
import { findStored, longDecimals, renderStoredFooter } from './stored.ts';

export type ParquetColumn = { readonly name: string; readonly type: NativeType };

/** A Parquet file that holds what it says, and where to read it. */
export type OpenedParquet = {
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly ParquetColumn[];
  /** Why columns cannot be read, as far as they are asked for. */
  readonly refused: readonly string[];
};

/**
 * Holds the footer against itself and against the pages, and finds the columns with their exact names. A file in which
 * DuckDB would lose something is read from a copy beside `scratch` whose footer calls things what they are stored as.
 * Throws RangeError with what is wrong with the file.
 */
export async function openParquet(
  session: Session,
  path: string,
  scratch: string,
  wanted: (column: string) => boolean,
): Promise<OpenedParquet> {
  const file = await open(path, 'r');
  try {
    const footer = await readFooter(file, (await file.stat()).size);
    await checkPages(file, footer);
    assertDistinct(footer);
    const stored = findStored(footer);
    const plain = stored.size === 0 ? path : await copyUnder(path, `${scratch}.parquet`, footer, stored);
    const described = await session.describe(describeParquet(plain));
    const columns = footer.columns.map((node, i) => ({
      name: node.name,
      type: nameParts(parseNativeType(described[i]?.type ?? ''), node, stored),
    }));
    return { path: plain, rows: footer.rows, columns, refused: longDecimals(footer, wanted) };
  } finally {
    await file.close();
  }
}

function assertDistinct({ columns }: Footer): void {
  const names = columns.map((column) => column.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new RangeError(`the column ${JSON.stringify(twice)} is there twice`);
}

async function copyUnder(
  path: string,
  copy: string,
  footer: Footer,
  stored: ReadonlyMap<number, Stored>,
): Promise<string> {
  await copyFile(path, copy, constants.COPYFILE_FICLONE);
  const file: FileHandle = await open(copy, 'r+');
  try {
    const bytes = renderStoredFooter(footer, stored);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    await file.truncate(footer.start);
    await file.write(Buffer.concat([bytes, length, Buffer.from('PAR1')]), 0, undefined, footer.start);
  } finally {
    await file.close();
  }
  return copy;
}
