import { join } from 'node:path';
import type { Bench, Measured } from '../bench.ts';
import { packedCommand } from '../command/measure.ts';
import { median, type Sample } from '../figures.ts';
import { measureTree } from '../process-tree.ts';
import { writeRuns } from './lake.ts';

const RUNS = 5_000;
/** As many as an expiry leaves of a run an hour. */
const COMMITS = 168;
const BOUND_S = 1;

/** `strata status` of a pipeline that has run often: the whole process. */
export async function measureStatus(bench: Bench): Promise<Measured> {
  const folder = await packedCommand();
  const packed = join(folder, 'dist', 'bin', 'strata.js');
  await measureTree(process.execPath, [packed, 'demo'], folder);
  await writeRuns(folder, 'retail', RUNS, COMMITS);
  await measureTree(process.execPath, [packed, 'compact', 'retail_ops.runs'], folder);
  const samples: Sample[] = [];
  for (let round = 0; round <= bench.rounds; round += 1) {
    samples.push(await measureTree(process.execPath, [packed, 'status', 'retail'], folder));
  }
  // In the first round caches may be cold.
  const warm = samples.slice(1);
  const cpu = median(warm.flatMap(({ cpuMs }) => cpuMs ?? [])) / 1000;
  const value = median(warm.map(({ ms }) => ms)) / 1000;
  bench.log(`status: ${value.toFixed(2)} s, ${cpu.toFixed(2)} s of processor time`);
  const name = `strata status of a pipeline with ${RUNS.toLocaleString('en-US')} runs`;
  const detail = `the whole process; ${cpu.toFixed(2)} s of processor time`;
  return { figures: [{ name, value, unit: 's', bound: BOUND_S, detail }], fingerprints: [], skipped: [] };
}
