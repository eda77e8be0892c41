import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RowCounts } from '../../lib/core/row-counts.ts';
import type { RunResult } from '../../lib/core/run.ts';
import type { CsvOptions, JsonOptions, ParquetOptions, SilverDefinition } from '../../lib/define/index.ts';
import type { Log, Row } from '../../lib/ports.ts';
import { withQuery } from '../../lib/query/select.ts';
import { type LocalLake, openLocalLake } from '../../lib/runtime/local.ts';

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));

/** A source of a pipeline: its contract, its files by their names below the source's folder, its silver table. */
export type BadSource = (
  | { readonly csv: CsvOptions }
  | { readonly json: JsonOptions }
  | { readonly parquet: ParquetOptions }
) & {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly silver?: Omit<SilverDefinition, 'from'>;
  /** Files that the ledger has to know, where they are not those in `files`. */
  readonly ledger?: readonly string[];
};

export type RunOptions = {
  /** Called with the folder of all sources when their files have landed. */
  readonly landed?: (folder: string, lake: LocalLake) => Promise<void>;
  /** Called when the run has been planned and before its files are read. */
  readonly planned?: (folder: string) => void;
  /** Called with every warning. */
  readonly warned?: Log['warn'];
  /** The lake's folder inside a temporary one. */
  readonly root?: string;
};

export type Refused = {
  readonly file: string;
  readonly line: number;
  readonly raw: string;
  readonly codes: readonly string[];
  readonly details: readonly string[];
};

export type Outcome = {
  readonly counts: RowCounts;
  /** File name -> `<code>: <reason>`. */
  readonly rejected: Readonly<Record<string, string>>;
  /** By file, then by line. */
  readonly quarantine: readonly Refused[];
  /** Silver rows by their columns from left to right. */
  readonly rows: readonly Row[];
};

const NO_ROWS: RowCounts = { read: 0, accepted: 0, quarantined: 0, condemned: 0, duplicates: 0 };

/**
 * One run, in a lake of its own, over a pipeline with these sources. The run must succeed, and the books of every
 * source must close: this is asserted here, for all of them.
 */
export async function runSources<Name extends string>(
  sources: Readonly<Record<Name, BadSource>>,
  options: RunOptions = {},
): Promise<Readonly<Record<Name, Outcome>>> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-bad-'));
  try {
    const root = join(folder, options.root ?? 'lake');
    const pipelines = join(folder, 'pipelines');
    await writePipeline(join(pipelines, 'bad'), sources);
    const landing = join(root, 'bronze', 'bad');
    for (const [name, source] of Object.entries<BadSource>(sources)) await land(join(landing, name), source);
    const lake = await openLocalLake({
      root,
      pipelines,
      log: { info: () => {}, warn: options.warned ?? (() => {}) },
      threads: 2,
    });
    await options.landed?.(landing, lake);
    const answer = await lake.run({
      pipeline: 'bad',
      onEvent: (event) => {
        if (event.kind === 'succeeded' && event.state === 'PlanStage') options.planned?.(landing);
      },
    });
    if (answer.kind !== 'ended') assert.fail(`the run ended as ${answer.kind}`);
    assert.equal(answer.result.status, 'SUCCEEDED', answer.result.error?.message);
    const outcomes: Record<string, Outcome> = {};
    for (const [name, source] of Object.entries<BadSource>(sources)) {
      outcomes[name] = await readOutcome(lake, answer.result, name, source);
    }
    return outcomes as Record<Name, Outcome>;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function runSource(source: BadSource, options: RunOptions = {}): Promise<Outcome> {
  return (await runSources({ rows: source }, options)).rows;
}

async function land(folder: string, source: BadSource): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(source.files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

async function writePipeline(folder: string, sources: Readonly<Record<string, BadSource>>): Promise<void> {
  const contracts = Object.entries(sources).map(([name, source]) => {
    const [format, options] =
      'csv' in source ? ['csv', source.csv] : 'json' in source ? ['json', source.json] : ['parquet', source.parquet];
    return `    ${name}: ${format}(${JSON.stringify(options)}),`;
  });
  const tables = Object.entries(sources).map(
    ([name, { silver }]) => `    ${name}: { from: '${name}', ...${JSON.stringify(silver ?? {})} },`,
  );
  const text = `import { csv, definePipeline, json, parquet } from ${JSON.stringify(DEFINE)};
export default definePipeline({
  name: 'bad',
  sources: {
${contracts.join('\n')}
  },
  silver: {
${tables.join('\n')}
  },
});
`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'pipeline.ts'), text);
}

async function readOutcome(lake: LocalLake, result: RunResult, name: string, source: BadSource): Promise<Outcome> {
  const counts = result.accounting[name] ?? NO_ROWS;
  const rows = await query(lake, `SELECT * FROM bad_silver.${name} ORDER BY ALL`);
  const quarantine = Object.values(result.accounting).some((c) => c.quarantined > 0)
    ? await query(
        lake,
        `SELECT source_file, line, raw, codes, details FROM bad_ops.quarantine WHERE source = '${name}' ORDER BY ALL`,
      )
    : [];
  const ledger = await query(
    lake,
    `SELECT key, status, records, code, reason FROM bad_ops.files WHERE source = '${name}' ORDER BY key`,
  );
  const { read, accepted, quarantined, condemned, duplicates } = counts;
  const shortName = (key: unknown): string => String(key).slice(`bronze/bad/${name}/`.length);
  const ingested = ledger.reduce((sum, file) => sum + Number(file['records']), 0);
  const reason = (file: Row): string => `${String(file['code'])}: ${String(file['reason'])}`;
  const rejected = ledger.filter((file) => file['status'] === 'rejected');
  assert.equal(read, accepted + quarantined + condemned + duplicates, `${name}: the accounts close`);
  assert.equal(quarantine.length, quarantined, `${name}: rows in the quarantine table`);
  assert.equal(rows.length, accepted, `${name}: rows in silver`);
  assert.equal(ingested, read, `${name}: records in the ledger`);
  assert.deepEqual(
    ledger.map((file) => shortName(file['key'])).sort(),
    [...(source.ledger ?? Object.keys(source.files))].sort(),
    `${name}: files in the ledger`,
  );
  assert.deepEqual(
    result.rejected_files
      .filter((file) => file.source === name)
      .map((file) => `${file.file} ${file.reason}`)
      .sort(),
    rejected.map((file) => `${String(file['key'])} ${reason(file)}`).sort(),
    `${name}: rejected files in the result and in the ledger`,
  );
  return {
    counts,
    rejected: Object.fromEntries(rejected.map((file) => [shortName(file['key']), reason(file)])),
    quarantine: quarantine.map((row) => ({ ...(row as unknown as Refused), file: shortName(row['source_file']) })),
    rows,
  };
}

async function query(lake: LocalLake, sql: string): Promise<readonly Row[]> {
  return withQuery(lake.deps, { sql }, async (found) => {
    const rows: Row[] = [];
    for await (const page of found.pages()) rows.push(...page);
    return rows;
  });
}
