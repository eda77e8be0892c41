import { type Compute, LAMBDA_LIMITS } from '../../core/compute.ts';
import { vcpusOf } from '../../core/worker-memory.ts';
import { PRICES } from '../prices.ts';
import { ASSUMED_RATES } from '../run-work.ts';
import { inGb, type Rung, reducedBytes } from './choose-rung.ts';
import type { ExplainedRung, RungCost } from './explained-rung.ts';

/** `compute`: of the pipeline. */
export function explainRung(rung: Rung, compute: Compute): ExplainedRung {
  const { bytes, worker } = rung;
  const size = `${inGb(bytes)} of input for a worker of ${inGb(worker)}`;
  const work = workOfRung(rung);
  const common = { input_bytes: bytes, worker_bytes: worker, units: work.units, merge_units: work.merge_units };
  const cost = costOfRung(work, compute);
  switch (rung.rung) {
    case 1:
      return { ...common, rung: 1, because: size, remedy: null, cost };
    case 2: {
      const because = `${size}: ${rung.table} is aggregated in ${work.units} parts, which are combined`;
      return { ...common, rung: 2, because, remedy: null, cost };
    }
    case 3: {
      const keys = rung.tables.map(({ table, key }) => `${table} by ${key}`).join(' and ');
      return { ...common, rung: 3, because: `${size}: ${keys} in ${rung.buckets} buckets`, remedy: null, cost };
    }
    case null: {
      const stops = rung.stops.map((one) => `rung ${one.rung}: ${one.because}`).join('; ');
      return { ...common, rung: null, because: `${size}; ${stops}`, remedy: remedyOf(bytes), cost };
    }
  }
}

function remedyOf(bytes: number): string {
  const most = LAMBDA_LIMITS.memoryMb.max * 1e6;
  const larger = bytes > most ? '' : 'give a worker more (compute.steps.Stage.memory and tmp, or --memory), ';
  return `${larger}read less (fewer columns, partitions with refresh: 'touched'), change what stops the rungs, or compute it in a larger engine`;
}

/** What the units of a rung read. */
export type RungWork = {
  readonly units: number;
  readonly merge_units: number;
  readonly bytes: number;
  readonly merge_bytes: number;
};

/** Groups are taken for a tenth of the rows that they are made of: how many there are shows only in the rows. */
const GROUPS_PART = 0.1;

export function workOfRung(rung: Rung): RungWork {
  if (rung.rung === 1 || rung.rung === null) return { units: 1, merge_units: 0, bytes: rung.bytes, merge_bytes: 0 };
  const own = rung.shares.flatMap(({ files }) => files).reduce((sum, { bytes }) => sum + bytes, 0);
  const units = rung.shares.length;
  const others = rung.bytes - own;
  const moved = rung.rung === 2 ? own * GROUPS_PART : own;
  const merges = Math.min(rung.buckets, Math.max(1, Math.ceil(moved / reducedBytes(rung.worker))));
  return rung.rung === 2
    ? { units, merge_units: merges, bytes: own + others * units, merge_bytes: moved }
    : { units, merge_units: merges, bytes: own, merge_bytes: moved + others * merges };
}

/** By what a vCPU is taken to read, and the prices of functions. Units work side by side, as many at once as the pipeline lets. */
export function costOfRung(work: RungWork, { steps, maxConcurrency }: Compute): RungCost {
  const stage = costOfUnits({ units: work.units, bytes: work.bytes }, steps.Stage.memoryMb, maxConcurrency);
  const merge = costOfUnits({ units: work.merge_units, bytes: work.merge_bytes }, steps.Merge.memoryMb, maxConcurrency);
  return { seconds: Math.ceil(stage.seconds + merge.seconds), usd: Number((stage.usd + merge.usd).toFixed(6)) };
}

function costOfUnits(
  { units, bytes }: { readonly units: number; readonly bytes: number },
  memoryMb: number,
  atOnce: number,
): RungCost {
  if (units === 0) return { seconds: 0, usd: 0 };
  const busy = busySeconds({ units, bytes }, vcpusOf(memoryMb));
  const usd = ((busy * memoryMb) / 1_024) * PRICES.lambda.gbSecond + units * PRICES.lambda.request;
  return { seconds: busy / Math.min(units, atOnce), usd };
}

/** What all units take together, each with so many vCPUs: with one it is their processor time. */
export function busySeconds({ units, bytes }: Pick<RungWork, 'units' | 'bytes'>, vcpus: number): number {
  return (units * ASSUMED_RATES.startMs) / 1_000 + bytes / ASSUMED_RATES.bytesPerSecond.model / vcpus;
}
