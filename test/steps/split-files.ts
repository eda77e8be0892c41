import assert from 'node:assert/strict';
import type { RunResult, StageUnit } from '../../lib/core/run.ts';
import type { SourceDefinition } from '../../lib/define/index.ts';
import { readJson } from '../../lib/lake/run/run-folder.ts';
import type { Row } from '../../lib/ports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** The least that a part of a file has: parts of a test are about as large. */
export const PIECE = 64 * 1024;

export type Landed = Readonly<Record<string, string | Uint8Array>>;

/** All that a run leaves of its rows and files, but for the names of data files. */
export type Books = {
  readonly accounting: RunResult['accounting'];
  readonly rejected: RunResult['rejected_files'];
  readonly tables: Readonly<Record<string, readonly Row[]>>;
};

/** How a run went about it: units, and of these those that took a file in parts, one after the other. */
export type Taken = Books & { readonly units: number; readonly inTurn: number };

const QUARANTINE = 'source_file, line, raw, codes, details, row_hash, business_key, attempt, status, table_name';
const LEDGER = 'source, key, records, status, code, reason';

/** Runs over files, one batch after the other, with units of some bytes; what they leave. */
export async function takeFiles(
  pipeline: TestPipeline,
  batches: readonly Landed[],
  tables: readonly string[],
  unitBytes: number,
): Promise<Taken> {
  const opened = await openTestLake(pipeline);
  const lake = opened.reopen((deps) => ({ ...deps, settings: { ...deps.settings, unitBytes } }));
  try {
    let result: RunResult | undefined;
    const units: StageUnit[] = [];
    for (const [nth, files] of batches.entries()) {
      for (const [name, content] of Object.entries(files)) await lake.land('rows', name, content);
      result = await lake.run({ runId: `r-${nth}` });
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
      units.push(...(await unitsOf(lake, pipeline.name, `r-${nth}`)));
    }
    const found: Record<string, readonly Row[]> = {};
    for (const table of tables) found[table] = await lake.rows(`${pipeline.name}_silver.${table}`);
    found['quarantine'] = await lake.rows(
      `${pipeline.name}_ops.quarantine`,
      `SELECT ${QUARANTINE} FROM t ORDER BY ALL`,
    );
    found['files'] = await lake.rows(`${pipeline.name}_ops.files`, `SELECT ${LEDGER} FROM t ORDER BY ALL`);
    return {
      accounting: result?.accounting ?? {},
      rejected: result?.rejected_files ?? [],
      tables: found,
      units: units.length,
      inTurn: units.filter(({ files }) => files.some((file) => file.in_turn)).length,
    };
  } finally {
    opened.close();
  }
}

async function unitsOf(lake: TestLake, pipeline: string, run: string): Promise<readonly StageUnit[]> {
  const units: StageUnit[] = [];
  for await (const { key } of lake.store.list(`ops/${pipeline}/_runs/${run}/level-0/units/`)) {
    if (!key.includes('/merge-')) units.push(await readJson(lake.store, key));
  }
  return units;
}

/** The same files, whole and cut, leave the same. Answers what they leave, and in how many units they were cut. */
export async function assertSameCut(
  pipeline: TestPipeline,
  batches: readonly Landed[],
  tables: readonly string[],
): Promise<Taken> {
  const whole = await takeFiles(pipeline, batches, tables, 1e9);
  const cut = await takeFiles(pipeline, batches, tables, PIECE);
  const { units, inTurn, ...books } = cut;
  const { units: _, inTurn: __, ...expected } = whole;
  assert.deepEqual(books, expected);
  return cut;
}

/** A pipeline of one source, `rows`, with silver tables that read it. */
export function pipelineOf(rows: SourceDefinition, silver: Readonly<Record<string, object>>): TestPipeline {
  const models = Object.fromEntries(Object.entries(silver).map(([name, model]) => [name, { from: 'rows', ...model }]));
  return { name: 'shop', definition: { name: 'shop', sources: { rows }, silver: models } };
}

/** Records of a shop, of which some are broken: line breaks in quotes, fields too many and too few, blank lines. */
export function shop(records: number, from = 0): string {
  const lines = Array.from({ length: records }, (_, i) => {
    const id = from + i;
    if (i % 997 === 13) return `${id},"a name,\r\nover ""three""\nlines é漢",1.50`;
    if (i % 1500 === 700) return `${id},too few`;
    if (i % 1700 === 800) return `${id},too,many,1.00`;
    if (i % 1900 === 900) return '';
    if (i % 1300 === 600) return `${id},no number,x`;
    return `${id % 4000},name of ${id} ${'ä'.repeat(i % 7)},${(id % 1000) / 4}`;
  });
  return `id,name,amount\n${lines.join('\n')}\n`;
}
