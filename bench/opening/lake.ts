import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { opsTable } from '../../lib/core/ops.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { openScratch } from '../../lib/lake/files/scratch.ts';
import { stageFiles } from '../../lib/lake/files/stage-files.ts';
import { commitOps, opsTarget } from '../../lib/lake/ops/ops-tables.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { loadTable } from '../../lib/table/read.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';

const SILENT = { info: () => undefined, warn: () => undefined };
/** Bytes of the ledger's files, as maintenance leaves them. */
const LEDGER_FILE_BYTES = 16 * 2 ** 20;
export const FOLDER = 'bronze/events/events/';
const PER_DAY = 1_000;

/** A lake of the bench whose bronze has files that are there in listings alone. */
export async function openOpeningLake(root: string, files: number): Promise<StepDeps> {
  const { deps } = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  return { ...deps, store: withMany(deps.store, files) };
}

/** A lake that has taken one file, and whose ledger says that it has taken so many more, in the order of their names. */
export async function makeOpeningLake(files: number): Promise<string> {
  return madeOnce(`opening-${files}`, [new URL(import.meta.url)], async (root) => {
    await landEvent(root, 'a-first.csv', 1);
    const lake = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
    const answer = await lake.run({ pipeline: 'events' });
    if (answer.kind !== 'ended') throw new Error(`the first run did not end: ${JSON.stringify(answer)}`);
    await fillLedger(lake.deps, files);
  });
}

/** Lands a file of one event. */
export async function landEvent(root: string, name: string, id: number): Promise<void> {
  const path = join(root, FOLDER, name);
  await mkdir(dirname(path), { recursive: true });
  const row = `${id},2025-01-01 00:00:00,1,view,s,1,1.00,1.5`;
  await writeFile(path, `event_id,event_ts,device_id,kind,session,quantity,price,score\n${row}\n`);
}

async function fillLedger(deps: StepDeps, files: number): Promise<void> {
  const run = { pipeline: 'events', run_id: 'many' };
  const id = opsTable('events', 'files');
  const target = opsTarget(deps, 'files', id, await loadTable(deps.catalog, id));
  await using session = await deps.engine.open(deps.settings);
  await using scratch = await openScratch(deps, 'many');
  const from = sql`(SELECT 'events' AS source,
  'bronze/events/events/day-' || lpad(CAST(n // ${PER_DAY} AS VARCHAR), 6, '0') || '/events-' || lpad(CAST(n AS VARCHAR), 9, '0') || '.csv' AS key,
  md5(CAST(n AS VARCHAR)) AS etag, 100 AS size, 'ingested' AS status, 1 AS records, NULL AS code, NULL AS reason,
  'run-' || CAST(n // ${PER_DAY} AS VARCHAR) AS run_id, TIMESTAMPTZ '2000-01-01 00:00:00Z' + INTERVAL (n // ${PER_DAY}) HOUR AS ingested_at,
  NULL AS place, NULL AS table_name FROM range(${files}) t(n))`;
  const staging = { from, target, folder: join(scratch.folder, 'out'), fileBytes: LEDGER_FILE_BYTES, stem: 'many' };
  await commitOps(deps, run, 'files', (await stageFiles(session, staging, deps)).placed);
}

function withMany(store: ObjectStore, files: number): ObjectStore {
  return {
    ...store,
    async *list(prefix, options) {
      // Nothing depends here on what is there being out of order.
      yield* store.list(prefix, options);
      if (prefix === FOLDER) yield* listMany(files);
    },
  };
}

/** The folder of a file by its number. */
export function dayOf(n: number): string {
  return `day-${String(Math.floor(n / PER_DAY)).padStart(6, '0')}/`;
}

function* listMany(files: number): Generator<ObjectInfo> {
  for (let n = 0; n < files; n += 1) {
    const key = `${FOLDER}${dayOf(n)}events-${String(n).padStart(9, '0')}.csv`;
    yield { key, size: 100, etag: createHash('md5').update(String(n)).digest('hex'), modified: n };
  }
}
