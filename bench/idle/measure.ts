import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLocalLake } from '../../lib/runtime/local.ts';
import type { Bench, Measured } from '../bench.ts';
import { median } from '../figures.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';

const BOUND_S = 0.3;
const SILENT = { info: () => undefined, warn: () => undefined };

/** A run with nothing new, on a lake that has taken in many files: the work beyond the start of the process. */
export async function measureIdle(bench: Bench): Promise<Measured> {
  const files = bench.sizes.waitingFiles;
  const root = await freshFolder(join(WORK, 'idle-lake'));
  const folder = join(root, 'bronze', 'events', 'events');
  await mkdir(folder, { recursive: true });
  for (let n = 1; n <= files; n += 1) {
    const row = `${n},2025-01-01 00:00:00,1,view,s,1,1.00,1.5`;
    const text = `event_id,event_ts,device_id,kind,session,quantity,price,score\n${row}\n`;
    await writeFile(join(folder, `${String(n).padStart(6, '0')}.csv`), text);
  }
  await runEvents(root, 'ended');
  const times: number[] = [];
  for (let round = 1; round <= bench.rounds; round += 1) times.push(await runEvents(root, 'nothing'));
  bench.log(`idle: ${times.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}`);
  const name = `a run with nothing new, ${files.toLocaleString('en-US')} files ingested`;
  const figure = {
    name,
    value: median(times) / 1000,
    unit: 's',
    bound: BOUND_S,
    detail: 'compiling included',
  } as const;
  return { figures: [figure], fingerprints: [], skipped: [] };
}

async function runEvents(root: string, expected: 'ended' | 'nothing'): Promise<number> {
  const lake = await openLocalLake({ root, pipelines: BENCH_PIPELINES, log: SILENT });
  const started = performance.now();
  const answer = await lake.run({ pipeline: 'events' });
  if (answer.kind !== expected) throw new Error(`expected a run that is ${expected}: ${JSON.stringify(answer)}`);
  return performance.now() - started;
}
