import type { Bench, SideResult } from './bench.ts';
import { type Figure, median, medianRatio, type Sample } from './figures.ts';
import { compareFingerprints } from './fingerprint.ts';

export type Side = {
  readonly name: string;
  /** Does the work once, from nothing. */
  readonly run: () => Promise<SideResult>;
};

/**
 * Runs all sides in turn, round after round, and holds every result against the first one. Answers each side's results.
 * Throws Error when two sides did not make the same tables: their times say nothing then.
 */
export async function runRounds(
  bench: Bench,
  title: string,
  sides: readonly Side[],
): Promise<readonly (readonly SideResult[])[]> {
  const results: SideResult[][] = sides.map(() => []);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [at, side] of sides.entries()) {
      const result = await side.run();
      bench.log(`${title}, round ${round}: ${side.name} ${showSample(result)}`);
      results[at]?.push(result);
      const problems = compareFingerprints(result.fingerprints, results[0]?.[0]?.fingerprints ?? []);
      if (problems.length > 0) throw new Error(`${title}: ${side.name} made other tables:\n${problems.join('\n')}`);
    }
  }
  return results;
}

/** Time and, unjudged, processor time of one side against another; `why` is told where the bound is missed. */
export function compareTimes(
  title: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
  bound: number | null,
  why?: string,
): readonly Figure[] {
  const time = ratioFigure(`${title}: time`, ours.map(timeOf), theirs.map(timeOf), bound, why);
  const [cpu, otherCpu] = [ours.flatMap(cpuOf), theirs.flatMap(cpuOf)];
  if (cpu.length !== ours.length || otherCpu.length !== theirs.length) return [time];
  return [time, ratioFigure(`${title}: processor time`, cpu, otherCpu, null)];
}

/** Processor time of one side against another, judged, with the time beside it, which what else the machine does changes. */
export function compareWork(
  title: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
  bound: number | null,
  why?: string,
): readonly Figure[] {
  const work = ratioFigure(`${title}: processor time`, ours.flatMap(cpuOf), theirs.flatMap(cpuOf), bound, why);
  return [work, ratioFigure(`${title}: time`, ours.map(timeOf), theirs.map(timeOf), null)];
}

/** The middle of the peaks. */
export function peakFigure(title: string, sides: readonly Sample[], bound: number, detail: string): Figure {
  return { name: `${title}: peak memory`, value: peakOf(sides) / 1e9, unit: 'GB', bound, detail };
}

export function peakOf(sides: readonly Sample[]): number {
  return median(sides.map(({ peakBytes }) => peakBytes ?? Number.NaN));
}

/** A ratio of milliseconds. */
export function ratioFigure(
  name: string,
  ours: readonly number[],
  theirs: readonly number[],
  bound: number | null,
  why?: string,
): Figure {
  const detail = `${showMs(median(ours))} to ${showMs(median(theirs))}`;
  const figure = { name, value: medianRatio(ours, theirs), unit: 'x', bound, detail } as const;
  return why === undefined ? figure : { ...figure, why };
}

function timeOf({ ms }: Sample): number {
  return ms;
}

function cpuOf({ cpuMs }: Sample): number[] {
  return cpuMs === null ? [] : [cpuMs];
}

function showMs(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function showSample({ ms, cpuMs, peakBytes }: Sample): string {
  const cpu = cpuMs === null ? '' : `, ${showMs(cpuMs)} of processor time`;
  const peak = peakBytes === null ? '' : `, ${(peakBytes / 1e6).toFixed(0)} MB`;
  return `${showMs(ms)}${cpu}${peak}`;
}
