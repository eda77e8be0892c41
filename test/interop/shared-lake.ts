import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { compactTables } from '../../lib/runtime/compact.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { openLake, PIPELINES, runBatch } from './lakes.ts';
import { Peer } from './peer.ts';
import { compareRows, entryOf } from './table-rows.ts';

/** Tables of `modes` that Spark changes and maintains beside Strata. */
const TABLES = ['appended', 'replaced', 'versions', 'versions__log'] as const;

type Step = {
  readonly name: string;
  /** Whether every table has the rows of before. */
  readonly keeps: boolean;
  readonly do: (lake: LocalLake, spark: Peer) => Promise<unknown>;
};

const perTable =
  (statement: (table: string) => string) =>
  async (_lake: LocalLake, spark: Peer): Promise<void> => {
    for (const name of TABLES) await spark.ask({ sql: statement(name) });
  };

const statements =
  (...texts: readonly string[]) =>
  async (_lake: LocalLake, spark: Peer): Promise<void> => {
    for (const sql of texts) await spark.ask({ sql });
  };

/** Spark's procedures refuse to remove what is younger than a day; retention of Strata is forced. */
const DAY_MS = 25 * 3_600_000;
const TWO_DAYS_MS = 48 * 3_600_000;
const before = (ms: number): string => `TIMESTAMP '${new Date(Date.now() - ms).toISOString()}'`;
const forced = { target: 'modes', olderThanMs: 0, forceRetention: true };

const STEPS: readonly Step[] = [
  {
    name: 'Spark inserts',
    keeps: false,
    do: statements(
      'INSERT INTO lake.modes.appended SELECT id + 100000, sensor, at, region, amount FROM lake.modes.appended WHERE id % 4 = 0',
    ),
  },
  {
    name: 'Spark deletes, updates and merges by copying',
    keeps: false,
    do: statements(
      'DELETE FROM lake.modes.appended WHERE id % 5 = 0',
      "UPDATE lake.modes.appended SET region = 'west' WHERE id % 7 = 1",
      `MERGE INTO lake.modes.appended t USING (SELECT id, id % 2 AS odd FROM lake.modes.appended WHERE id < 40) s ON t.id = s.id
         WHEN MATCHED AND s.odd = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET amount = t.amount + 1`,
      "DELETE FROM lake.modes.replaced WHERE region = 'north'",
    ),
  },
  { name: 'Strata runs', keeps: false, do: (lake) => runBatch(lake, 2) },
  {
    name: 'Spark rewrites data files',
    keeps: true,
    do: perTable(
      (name) =>
        `CALL lake.system.rewrite_data_files(table => 'modes.${name}', options => map('min-input-files', '2', 'rewrite-all', 'true'))`,
    ),
  },
  { name: 'Strata compacts', keeps: true, do: compact },
  {
    name: 'Spark rewrites manifests',
    keeps: true,
    do: perTable((name) => `CALL lake.system.rewrite_manifests('modes.${name}')`),
  },
  { name: 'Strata finds nothing new', keeps: true, do: (lake) => lake.run({ pipeline: 'modes' }) },
  {
    name: 'Spark expires snapshots',
    keeps: true,
    do: perTable(
      (name) =>
        `CALL lake.system.expire_snapshots(table => 'modes.${name}', older_than => ${before(0)}, retain_last => 2)`,
    ),
  },
  {
    name: 'Spark removes orphans',
    keeps: true,
    do: async (lake, spark) => {
      const orphans = TABLES.map((name) => join(lake.root, 'silver', 'modes', name, 'data', 'orphan.parquet'));
      for (const path of orphans) await writeFile(path, 'nobody knows this file');
      await growOld(join(lake.root, 'silver'));
      for (const [at, name] of TABLES.entries()) {
        const { rows } = await spark.ask({
          sql: `CALL lake.system.remove_orphan_files(table => 'modes.${name}', older_than => ${before(DAY_MS)})`,
        });
        requireEqual(
          JSON.stringify(rows).includes(orphans[at] ?? ''),
          true,
          `${name}: the orphan is among ${JSON.stringify(rows)}`,
        );
      }
    },
  },
  {
    name: 'Strata expires and vacuums',
    keeps: true,
    do: async (lake) => {
      const { failed } = await expireTables(lake.deps, { ...forced, keep: 1 });
      const vacuumed = await vacuumTables(lake.deps, forced);
      requireEqual(JSON.stringify([...failed, ...vacuumed.failed]), '[]', 'tables that failed');
    },
  },
  { name: 'Spark deletes by position', keeps: false, do: deleteByPosition },
  { name: 'Strata compacts what Spark deleted', keeps: true, do: compact },
  { name: 'Strata runs again', keeps: false, do: (lake) => runBatch(lake, 3) },
  {
    name: 'Strata goes back',
    keeps: false,
    do: async (lake) => {
      const { metadata } = await entryOf(lake, 'appended');
      const before = metadata.snapshots.at(-2)?.['snapshot-id'];
      return rollbackTable(lake.deps, { table: 'modes_silver.appended', to: String(before) });
    },
  },
  {
    name: 'Strata goes back over its compaction of what Spark has added',
    keeps: false,
    do: async (lake, spark) => {
      await spark.ask({
        sql: 'INSERT INTO lake.modes.appended SELECT id + 200000, sensor, at, region, amount FROM lake.modes.appended WHERE id % 4 = 1',
      });
      const { metadata } = await entryOf(lake, 'appended');
      await compact(lake);
      await rollbackTable(lake.deps, { table: 'modes_silver.appended', to: String(metadata['current-snapshot-id']) });
    },
  },
  {
    name: 'Spark may not forget what had removed files that are back, Strata may',
    keeps: true,
    do: async (lake, spark) => {
      const expire = () =>
        spark.ask({
          sql: `CALL lake.system.expire_snapshots(table => 'modes.appended', older_than => ${before(0)}, retain_last => 1)`,
        });
      const refused = await expire().then(
        () => 'it was not refused',
        (error: Error) => error.message,
      );
      requireEqual(/GC is disabled/.test(refused), true, `Spark says of a table with files that are back: ${refused}`);
      const { failed } = await expireTables(lake.deps, { ...forced, keep: 1 });
      requireEqual(JSON.stringify(failed), '[]', 'tables that failed');
      await expire();
    },
  },
];

async function deleteByPosition(_lake: LocalLake, spark: Peer): Promise<void> {
  await statements(
    "ALTER TABLE lake.modes.appended SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')",
    'DELETE FROM lake.modes.appended WHERE id % 3 = 0',
  )(_lake, spark);
}

async function compact({ deps }: LocalLake): Promise<void> {
  const answer = await compactTables(deps, { pipeline: 'modes', compact: { min_files: 2, all: true } });
  if (answer.kind !== 'ended' || answer.result.error !== null) throw new Error(JSON.stringify(answer));
}

/**
 * Strata and Spark, with one release of Iceberg, change and maintain the same tables in turns. Throws unless after every
 * step both read the same rows, those of before where the step only maintains, and PyIceberg finds every table in form.
 */
export async function shareLake(root: string, python: string, jar: string, pyiceberg: string): Promise<void> {
  const lake = await openLake(root, PIPELINES);
  await runBatch(lake, 0);
  await runBatch(lake, 1);
  const checks = join(import.meta.dirname, 'checks');
  await using spark = new Peer(python, [join(checks, 'spark_peer.py'), join(root, 'silver'), jar]);
  await using form = new Peer(pyiceberg, [join(checks, 'form_peer.py')]);
  let before: string | undefined;
  for (const [at, step] of STEPS.entries()) {
    await step.do(lake, spark);
    const folder = join(root, 'rows', `${at} ${step.name}`);
    await compare(lake, spark, form, folder, step.keeps ? before : undefined);
    before = folder;
  }
  console.log(`shared with Spark: ${STEPS.length} steps on ${TABLES.length} tables, the same rows after each`);
}

/** Spark writes what it reads into a folder; Strata has to read the same, and what lies in the folder of before, where one is named. */
async function compare(
  lake: LocalLake,
  spark: Peer,
  form: Peer,
  folder: string,
  before: string | undefined,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of TABLES) {
    await spark.ask({ table: `lake.modes.${name}`, to: join(folder, name) });
    for (const from of [folder, ...(before === undefined ? [] : [before])]) {
      await compareRows(lake, name, join(from, name, '*.parquet'));
    }
    await form.ask({ name: `${basename(folder)}: ${name}`, metadata: (await entryOf(lake, name)).metadataLocation });
  }
}

function requireEqual<T>(got: T, expected: T, what: string): void {
  if (got !== expected) throw new Error(`${what}: got ${got}; expected ${expected}`);
}

async function growOld(folder: string): Promise<void> {
  const then = new Date(Date.now() - TWO_DAYS_MS);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await utimes(join(entry.parentPath, entry.name), then, then);
  }
}
