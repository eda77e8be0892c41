import { type Compute, DEFAULT_COMPUTE } from '../core/compute.ts';
import type { BookRow, ModelFacts } from '../core/facts.ts';
import type { Measured } from '../core/requests.ts';
import type { PipelineSettings, PipelineSpec } from '../core/spec.ts';
import { PRICES } from './prices.ts';
import { ASSUMED_RATES } from './run-work.ts';

/** Dollars of an hour of a machine, where the pipeline doesn't say. */
export const DEFAULT_HOURLY_RATE = 2.5;

/** By what the work of a run is priced. */
export type Rate =
  | { readonly kind: 'hour'; readonly usd: number }
  | { readonly kind: 'aws'; readonly compute: Compute };

/** A plan of maintenance, and those of commands, may have no pipeline. */
export type Priced = { readonly settings?: Pick<PipelineSettings, 'hourlyRate'>; readonly compute?: Compute };

export function rateOf(billedBy: 'aws' | undefined, spec: Priced | Pick<PipelineSpec, 'settings' | 'compute'>): Rate {
  if (billedBy === 'aws') return { kind: 'aws', compute: spec.compute ?? DEFAULT_COMPUTE };
  return { kind: 'hour', usd: spec.settings?.hourlyRate ?? DEFAULT_HOURLY_RATE };
}

/** As a row of the table of runs names it. */
export function nameRate(rate: Rate): string {
  return rate.kind === 'hour' ? `${rate.usd} USD an hour` : `prices of ${PRICES.region} of ${PRICES.checked}`;
}

export function costOfHours(ms: number, usdAnHour: number): number {
  return rounded((ms * usdAnHour) / 3_600_000);
}

/** What a model's units took: on AWS their GB-seconds, calls and requests; of a call of Level the part that was theirs. */
export function costOfModel({ staging, merging, units, merge_units }: ModelFacts, rate: Rate): number {
  if (rate.kind === 'hour') return costOfHours(staging.ms + merging.ms, rate.usd);
  return rounded(
    costOnAws('Stage', staging, units, rate.compute) + costOnAws('Merge', merging, merge_units, rate.compute),
  );
}

/** Of a run that ended before all of it was measured: what is known of its models. */
export function priceOfModels(models: readonly BookRow[], rate: Rate): { readonly usd: number; readonly rate: string } {
  const usd = models.reduce((sum, { cost_usd }) => sum + Number(cost_usd ?? 0), 0);
  return { usd: rounded(usd), rate: `${nameRate(rate)}, of its models alone` };
}

function costOnAws(step: 'Stage' | 'Merge', measured: Measured, units: number, { steps }: Compute): number {
  const { lambda, s3 } = PRICES;
  const { ms, spent, within } = measured;
  const { memoryMb, tmpMb } = steps[within ?? step];
  const calls = within === undefined ? units : 0;
  const seconds = (ms + calls * ASSUMED_RATES.startMs) / 1_000;
  const tmp = (seconds * Math.max(0, tmpMb - lambda.freeTmpMb)) / 1_024;
  return (
    ((seconds * memoryMb) / 1_024) * lambda.gbSecond +
    tmp * lambda.tmpGbSecond +
    calls * lambda.request +
    (spent === undefined ? 0 : spent.put * s3.put + spent.get * s3.get)
  );
}

function rounded(usd: number): number {
  return Number(usd.toFixed(9));
}
