import { stat, symlink } from 'node:fs/promises';
import type { SourceSpec } from '../core/spec.ts';
import { NotAlone } from '../core/turns.ts';
import type { Session } from '../ports.ts';
import { readingDialect } from '../sql/csv-dialect.ts';
import { declaredType } from '../sql/native-type.ts';
import type { FileLayout } from '../sql/raw-rows.ts';
import { openArrayFile } from './array-file.ts';
import { checkColumns, isNamed, strangeFields } from './columns.ts';
import { engineReason } from './data-fault.ts';
import { parseHeader } from './header.ts';
import { type OpenedParquet, openParquet } from './parquet/open.ts';
import { type OpenQuote, openTextFile, type TextFile, type TextFormat } from './text-file.ts';

/** What a landed file turned out to be. A rejected file is recorded with its reason; the run goes on without it. */
export type Inspection =
  | {
      readonly kind: 'readable';
      /** Where its plain bytes are. */
      readonly path: string;
      readonly layout: FileLayout;
      readonly numbering: Numbering;
      /** Columns that the contract does not name; empty for JSON, whose rows name their own. */
      readonly extra: readonly FileColumn[];
    }
  | {
      readonly kind: 'rejected';
      readonly code: 'UNREADABLE_FILE' | 'SCHEMA_ERROR' | 'FILE_TOO_LARGE';
      readonly reason: string;
      /** What was thrown at the file, where something was: the machine may be to blame as well. */
      readonly cause?: Error;
    };

export type FileColumn = { readonly name: string; readonly type: string };

/** How the rows of a file are counted and numbered. */
export type Numbering = {
  /** Data records by their bytes; undefined where only the engine can count them. */
  readonly records: number | undefined;
  /** Records before the first data record: 1 for a header. */
  readonly headerRecords: number;
  /** True when record n stands on line n. */
  readonly regular: boolean;
  /** Whether a blank line is a row without a value, as in a file of one column; elsewhere it is nothing. */
  readonly blankIsRow: boolean;
  readonly openQuote: OpenQuote | undefined;
  /** Of a part of a file: what is added to a line, or to the number of a row, for that in the file. Left out: nothing. */
  readonly before?: number;
};

/**
 * Looks at one local file before any row of it is parsed: is it whole, is it of the declared format, do its columns
 * fit the contract under its drift policy. Whatever is thrown at it is a rejection with its `cause`. `scratch` is a path whose extensions are free: plain copies go there.
 */
export async function inspectFile(
  session: Session,
  source: SourceSpec,
  path: string,
  scratch: string,
): Promise<Inspection> {
  try {
    const found =
      source.format.kind === 'parquet'
        ? await inspectParquet(session, source, path, scratch)
        : await inspectText(source, source.format, path, scratch);
    return found.kind === 'rejected' ? found : fit(source, found);
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof NotAlone) throw cause;
    return { ...unreadable(engineReason(cause)), cause };
  }
}

async function inspectText(
  source: SourceSpec,
  format: TextFormat,
  landed: string,
  scratch: string,
): Promise<Inspection> {
  if (format.kind === 'json' && format.layout === 'array') return inspectArray(format, landed, scratch);
  const text = await openTextFile(landed, format, scratch);
  if (text.kind === 'damaged') return damaged(text);
  const { scan } = text;
  const lines = { maxFileBytes: text.bytes, maxRecordBytes: scan.longest };
  const path = await plainName(text.path, scratch);
  if (format.kind === 'json') {
    const layout: FileLayout = { kind: 'lines', ...lines };
    return { kind: 'readable', path, layout, numbering: numberingOf(text, 0, false), extra: [] };
  }
  if (!format.header) {
    const layout: FileLayout = { kind: 'csv', header: source.columns.map((c) => c.source), ...lines };
    return { kind: 'readable', path, layout, numbering: numberingOf(text, 0, source.columns.length === 1), extra: [] };
  }
  const header = parseHeader(text.first, readingDialect(format));
  if (header.kind === 'damaged') return unreadable(header.reason);
  const layout: FileLayout = { kind: 'csv', header: header.names, ...lines };
  const extra = header.names.map((name) => ({ name, type: 'VARCHAR' }));
  return { kind: 'readable', path, layout, numbering: numberingOf(text, 1, header.names.length === 1), extra };
}

function numberingOf(text: Text, headerRecords: number, blankIsRow: boolean): Numbering {
  const { scan, openQuote } = text;
  const records = scan.records + (blankIsRow ? scan.blankLines : 0) - headerRecords;
  return { records, headerRecords, regular: scan.regular, blankIsRow, openQuote };
}

type Text = Extract<TextFile, { kind: 'text' }>;

const BY_ENGINE: Numbering = {
  records: undefined,
  headerRecords: 0,
  regular: true,
  blankIsRow: false,
  openQuote: undefined,
};

/** A JSON array is one value: it is one from its first byte to its last, or the file is rejected. */
async function inspectArray(format: TextFormat, landed: string, scratch: string): Promise<Inspection> {
  const array = await openArrayFile(landed, format, scratch);
  if (array.kind === 'damaged') return damaged(array);
  const { path, bytes, elements, longest } = array;
  const layout: FileLayout = { kind: 'array', maxFileBytes: bytes, maxRecordBytes: longest };
  const numbering = { ...BY_ENGINE, records: elements };
  return { kind: 'readable', path: await plainName(path, scratch), layout, numbering, extra: [] };
}

async function inspectParquet(
  session: Session,
  source: SourceSpec,
  landed: string,
  scratch: string,
): Promise<Inspection> {
  const info = await stat(landed);
  if (!info.isFile()) return unreadable('not a file');
  if (info.size === 0) return unreadable('the file is empty (0 bytes)');
  const found = await openParquetFile(session, source, landed, scratch);
  if (typeof found === 'string') return unreadable(found);
  const [refused] = found.refused;
  if (refused !== undefined) return { kind: 'rejected', code: 'SCHEMA_ERROR', reason: `column ${refused}` };
  const { path, rows, columns } = found;
  const extra = columns.map(({ name, type }) => ({ name, type: declaredType(type) }));
  return {
    kind: 'readable',
    path,
    layout: { kind: 'parquet', columns },
    numbering: { ...BY_ENGINE, records: rows },
    extra,
  };
}

/** The file, or why it cannot be read. */
async function openParquetFile(
  session: Session,
  source: SourceSpec,
  landed: string,
  scratch: string,
): Promise<OpenedParquet | string> {
  const wanted = (name: string): boolean => isNamed(source, name);
  try {
    return await openParquet(session, await plainName(landed, scratch), scratch, wanted);
  } catch (cause) {
    if (cause instanceof RangeError) return cause.message;
    throw cause;
  }
}

/** DuckDB takes *, ? and [ in a path for a pattern: such a file is read through a link with a plain name. */
async function plainName(path: string, scratch: string): Promise<string> {
  if (!/[*?[\]]/.test(path)) return path;
  const link = `${scratch}.link`;
  await symlink(path, link);
  return link;
}

function fit(source: SourceSpec, found: Extract<Inspection, { kind: 'readable' }>): Inspection {
  const { layout } = found;
  if (layout.kind !== 'csv' && layout.kind !== 'parquet') return found;
  const names = layout.kind === 'csv' ? layout.header : layout.columns.map((c) => c.name);
  const misfit = checkColumns(source, names);
  if (misfit !== undefined) return { kind: 'rejected', code: 'SCHEMA_ERROR', reason: misfit };
  const strange = layout.kind === 'parquet' && source.drift === 'fail' ? strangeFields(source, layout.columns) : [];
  if (strange.length > 0) {
    const reason = `field ${strange.join(', ')} is not in the contract and drift is 'fail'; add it, or set drift to 'ignore' or 'evolve'`;
    return { kind: 'rejected', code: 'SCHEMA_ERROR', reason };
  }
  return { ...found, extra: found.extra.filter((e) => !isNamed(source, e.name)) };
}

function damaged({ reason, tooLarge }: { readonly reason: string; readonly tooLarge?: true }): Inspection {
  return tooLarge ? { kind: 'rejected', code: 'FILE_TOO_LARGE', reason } : unreadable(reason);
}

function unreadable(reason: string): Extract<Inspection, { kind: 'rejected' }> {
  return { kind: 'rejected', code: 'UNREADABLE_FILE', reason };
}
