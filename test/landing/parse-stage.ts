import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchRecipe } from '../../lib/core/batch-recipe.ts';
import type { LandedFile } from '../../lib/core/run.ts';
import type { SourceSpec } from '../../lib/core/spec.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { batchOf, inspectFiles } from '../../lib/lake/batch/batch-files.ts';
import { countFiles, findMiscounted } from '../../lib/lake/batch/count-files.ts';
import { fillQuarantine, PARSING } from '../../lib/lake/batch/fill-quarantine.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { createParsed, createRejected, rejectTables } from '../../lib/sql/batch.ts';
import { MALFORMED, PARSED, QUARANTINE, SHIFTS } from '../../lib/sql/batch-tables.ts';
import { createFaults } from '../../lib/sql/faults.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { keepFailed } from '../../lib/sql/quarantine.ts';
import { FILE } from '../../lib/sql/raw-rows.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { recipeOf } from '../support/batch-recipes.ts';

/** What the parse stage, without the lake around it, makes of one file. */
export type ParsedFile = {
  /** Data records by the file's bytes; undefined for a rejected file. */
  readonly records: number | undefined;
  readonly rejected: string | undefined;
  /** Why the engine is not to be trusted with the file. */
  readonly broken: string | undefined;
  /** Values of the contract's columns. */
  readonly rows: readonly (readonly unknown[])[];
  readonly refused: readonly { readonly line: number; readonly raw: string; readonly codes: readonly string[] }[];
};

const engine = createDuckDbEngine();
const ONCE = { guarded: false, trial: false };

/** Lands the contents as files of one source and takes them through inspection, parsing and quarantine. */
export async function parseFiles(
  source: SourceSpec,
  contents: readonly (string | Uint8Array)[],
): Promise<readonly ParsedFile[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'strata-parse-'));
  const session = await engine.open({ memoryBytes: 1_000_000_000, threads: 2, scratch });
  try {
    const landed: LandedFile[] = [];
    for (const [i, content] of contents.entries()) {
      await writeFile(join(scratch, String(i)), content);
      landed.push({ key: String(i), size: 0, etag: '' });
    }
    return await parse(session, source, landed, scratch);
  } finally {
    await session[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  }
}

async function parse(
  session: Session,
  source: SourceSpec,
  landed: readonly LandedFile[],
  scratch: string,
): Promise<readonly ParsedFile[]> {
  const borrowed = {
    paths: new Map(landed.map(({ key }) => [key, join(scratch, key)])),
    changed: new Map(),
    verify: async () => new Map(),
    [Symbol.asyncDispose]: async () => {},
  };
  const settings = { memoryBytes: 1_000_000_000, threads: 2, scratch, holder: () => 'test', leaseMs: 1 };
  const ids = { unique: () => 'id', uuid: () => 'id', snapshot: () => 1n };
  const { readable, rejected } = await inspectFiles({ engine, ids, settings }, source, landed, borrowed, scratch);
  const broken = await findMiscounted(source, readable, (use) => use(session));
  const files = readable.filter((file) => !broken.has(file.path));
  const rows = new Map<string, Row[]>();
  const refused = new Map<string, Row[]>();
  const names = source.columns.map((c) => c.name);
  if (files.length > 0) {
    const recipe = recipeOf({ hidden: ['file', 'failed'] });
    const parse = createParsed(batchOf(source, files), rejectTables('parse'), recipe);
    for (const statement of parse) await session.run(statement);
    const accepted = await session.rows({
      name: 'accepted',
      text: userSql(`SELECT * FROM ${PARSED} WHERE __ok ORDER BY rowid`),
    });
    for (const row of accepted) add(rows, String(row[FILE]), row);
    const batch = { source, files, records: await countFiles(session, source, files), ...ONCE, scratch };
    const context = { source: source.name, table: 't', runId: 'r', at: '2026-01-01T00:00:00Z' };
    const selected = { name: 'refused', text: sql`SELECT * FROM __quarantine ORDER BY source_file, line` };
    await session.run(createRejected());
    await session.run(keepFailed(recipe));
    await fillQuarantine(session, batch, { ...recipe, kept: true, rejected: false, missing: 0 }, context);
    const found = await session.rows(selected);
    const again = async (other: BatchRecipe): Promise<void> => {
      const { errors, scans } = rejectTables('quarantine');
      for (const table of [QUARANTINE, SHIFTS, MALFORMED, errors, scans]) await drop(session, table);
      await fillQuarantine(session, batch, { ...other, kept: false, rejected: false, missing: found.length }, context);
      assert.deepEqual(await session.rows(selected), found);
    };
    // What was kept while the files were parsed is what a second read finds.
    await again(recipe);
    // And one that looks at the columns alone by which rows failed as they streamed past.
    const streamed = recipeOf({ pass: 'stream', notesFaults: true });
    for (const table of [PARSED, PARSING.errors, PARSING.scans]) await drop(session, table);
    await session.run(createFaults(source));
    for (const statement of createParsed(batchOf(source, files), PARSING, streamed)) await session.run(statement);
    await session.rows({ name: 'stream', text: sql`SELECT count(*) FROM ${PARSED} WHERE __ok` });
    await again(streamed);
    for (const row of found) add(refused, String(row['source_file']), row);
  }
  return landed.map(({ key }) => {
    const file = readable.find((one) => one.landed.key === key);
    return {
      records: file?.numbering.records,
      rejected: rejected.find((one) => one.key === key)?.reason ?? undefined,
      broken: file === undefined ? undefined : broken.get(file.path),
      rows: (rows.get(file?.path ?? '') ?? []).map((row) => names.map((name) => row[name])),
      refused: (refused.get(key) ?? []).map((row) => ({
        line: Number(row['line']),
        raw: String(row['raw']),
        codes: row['codes'] as readonly string[],
      })),
    };
  });
}

async function drop(session: Session, table: string): Promise<void> {
  await session.run({ name: 'drop', text: userSql(`DROP TABLE IF EXISTS ${table}`) });
}

function add(lists: Map<string, Row[]>, key: string, row: Row): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [row]);
  else list.push(row);
}

/** A CSV contract of text columns `a`, `b`, ... */
export function textSource(
  columns: number,
  format: Partial<Extract<SourceSpec['format'], { kind: 'csv' }>>,
): SourceSpec {
  const names = Array.from({ length: columns }, (_, i) => String.fromCharCode(97 + i));
  const defaults = {
    delimiter: ',',
    quote: '"',
    escape: '"',
    header: false,
    encoding: 'utf-8',
    nullText: [''],
  } as const;
  return {
    name: 'rows',
    format: { kind: 'csv', ...defaults, ...format },
    columns: names.map((name) => ({
      ...{ source: name, name, type: { kind: 'string' }, parse: { kind: 'auto' }, required: false, checks: [] },
    })),
    key: [],
    drift: 'ignore',
  } as unknown as SourceSpec;
}
