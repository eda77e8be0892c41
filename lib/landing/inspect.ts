import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../core/errors.ts';
import type { SourceFormat, SourceSpec } from '../core/spec.ts';
import type { Session } from '../ports.ts';
import { quoteTexts } from '../sql/quote.ts';
import type { FileLayout } from '../sql/raw-rows.ts';
import { readHeader } from './header.ts';
import { inflate } from './inflate.ts';
import { maxLineBytes } from './longest-line.ts';

/** What a landed file turned out to be. A rejected file is recorded with its reason; the run goes on without it. */
export type Inspection =
  | {
      readonly kind: 'readable';
      /** Where its plain bytes are. */
      readonly path: string;
      readonly layout: FileLayout;
      readonly headerLines: number;
      /** Columns that the contract does not name; empty for JSON, whose rows name their own. */
      readonly extra: readonly { readonly name: string; readonly type: string }[];
    }
  | { readonly kind: 'rejected'; readonly code: 'UNREADABLE_FILE' | 'SCHEMA_ERROR'; readonly reason: string };

type Readable = Extract<Inspection, { kind: 'readable' }>;

/**
 * Looks at one local file before any row of it is parsed: is it whole, is it of the declared format, do its columns
 * fit the contract under its drift policy. `scratch` is an existing folder for its inflated bytes; `name` is unique in it.
 */
export async function inspectFile(
  session: Session,
  source: SourceSpec,
  path: string,
  scratch: string,
  name: string,
): Promise<Inspection> {
  const info = await stat(path);
  if (!info.isFile()) return unreadable('not a file');
  if (info.size === 0) return unreadable('the file is empty (0 bytes)');
  if (source.format.kind === 'parquet') return fit(source, await inspectParquet(session, path));
  const target = join(scratch, name);
  const inflated = await inflate(path, target);
  if (inflated.kind === 'damaged') {
    await rm(target, { force: true });
    return unreadable(inflated.reason);
  }
  const plain = inflated.kind === 'inflated' ? target : path;
  const size = inflated.kind === 'inflated' ? (await stat(plain)).size : info.size;
  return fit(source, await inspectText(session, source.format, source, plain, size));
}

async function inspectText(
  session: Session,
  format: Exclude<SourceFormat, { kind: 'parquet' }>,
  source: SourceSpec,
  path: string,
  size: number,
): Promise<Inspection> {
  if (size === 0) return unreadable('the file is empty (0 bytes)');
  if (format.kind === 'json' && format.layout === 'array') return inspectArray(session, path);
  const lineBytes = await maxLineBytes(path, size);
  if (lineBytes === undefined) return unreadable('a line is longer than 1 GiB');
  if (format.kind === 'json') {
    return { kind: 'readable', path, layout: { kind: 'lines', maxLineBytes: lineBytes }, headerLines: 0, extra: [] };
  }
  if (!format.header) {
    const header = source.columns.map((c) => c.source);
    return {
      kind: 'readable',
      path,
      layout: { kind: 'csv', header, maxLineBytes: lineBytes },
      headerLines: 0,
      extra: [],
    };
  }
  const header = await readHeader(path, format);
  if (header.kind === 'damaged') return unreadable(header.reason);
  const extra = header.names.map((name) => ({ name, type: 'VARCHAR' }));
  return {
    kind: 'readable',
    path,
    layout: { kind: 'csv', header: header.names, maxLineBytes: lineBytes },
    headerLines: 1,
    extra,
  };
}

/** A JSON array is one value: it parses as a whole or the file is rejected. */
async function inspectArray(session: Session, path: string): Promise<Inspection> {
  const text = `SELECT count(*) FROM read_json_objects(${quoteTexts([path])}, format = 'array', maximum_object_size = 67108864)`;
  try {
    await session.rows({ name: 'inspect_json', text });
    return { kind: 'readable', path, layout: { kind: 'array' }, headerLines: 0, extra: [] };
  } catch (cause) {
    if (cause instanceof EngineError) return unreadable(firstLine(cause));
    throw cause;
  }
}

async function inspectParquet(session: Session, path: string): Promise<Inspection> {
  const text = `SELECT * FROM read_parquet(${quoteTexts([path])}, hive_partitioning = false)`;
  try {
    const columns = await session.describe({ name: 'inspect_parquet', text });
    return { kind: 'readable', path, layout: { kind: 'parquet', columns }, headerLines: 0, extra: columns };
  } catch (cause) {
    if (cause instanceof EngineError) return unreadable(firstLine(cause));
    throw cause;
  }
}

/** The contract against the columns a file has; `extra` shrinks to what the contract does not name. */
function fit(source: SourceSpec, inspection: Inspection): Inspection {
  if (inspection.kind === 'rejected') return inspection;
  const names = columnNames(inspection);
  if (names === undefined) return inspection;
  const missing = source.columns.filter((c) => c.required && !names.includes(c.source)).map((c) => c.source);
  if (missing.length > 0) return misfit(`required column ${quoted(missing)} is missing; the file has ${quoted(names)}`);
  const extra = inspection.extra.filter((e) => !source.columns.some((c) => c.source === e.name));
  if (extra.length > 0 && source.drift === 'fail') {
    return misfit(
      `column ${quoted(extra.map((e) => e.name))} is not in the contract and drift is 'fail'; add it, or set drift to 'ignore' or 'evolve'`,
    );
  }
  return { ...inspection, extra };
}

function columnNames(inspection: Readable): readonly string[] | undefined {
  const { layout } = inspection;
  if (layout.kind === 'csv') return layout.header;
  return layout.kind === 'parquet' ? layout.columns.map((c) => c.name) : undefined;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

function unreadable(reason: string): Inspection {
  return { kind: 'rejected', code: 'UNREADABLE_FILE', reason };
}

function misfit(reason: string): Inspection {
  return { kind: 'rejected', code: 'SCHEMA_ERROR', reason };
}

function firstLine(error: Error): string {
  return error.message.split('\n')[0] ?? error.message;
}
