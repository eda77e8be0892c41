import type { Session } from '../lib/ports.ts';
import type { Figure, Sample } from './figures.ts';
import { compareFingerprints, type Fingerprint } from './fingerprint.ts';
import type { Sizes } from './settings.ts';

/** What a measurement works with. */
export type Bench = {
  readonly sizes: Sizes;
  readonly rounds: number;
  /** For making inputs and reading fingerprints; never measured. */
  readonly session: Session;
  readonly log: (line: string) => void;
};

export type Measured = {
  readonly figures: readonly Figure[];
  readonly fingerprints: readonly Fingerprint[];
  readonly skipped: readonly string[];
};

export type SideResult = Sample & { readonly fingerprints: readonly Fingerprint[] };

export type Side = {
  readonly name: string;
  /** Does the work once, from nothing. */
  readonly run: () => Promise<SideResult>;
};

/**
 * Runs all sides in turn, round after round, and holds every result against the first side's.
 * Throws Error when two sides did not make the same tables: their times say nothing then.
 */
export async function runRounds(bench: Bench, title: string, sides: readonly Side[]): Promise<SideResult[][]> {
  const results: SideResult[][] = sides.map(() => []);
  for (let round = 1; round <= bench.rounds; round += 1) {
    for (const [at, side] of sides.entries()) {
      const result = await side.run();
      bench.log(`${title}, round ${round}: ${side.name} ${(result.ms / 1000).toFixed(2)} s, ${megabytes(result)}`);
      results[at]?.push(result);
      const reference = results[0]?.[0];
      const problems = compareFingerprints(result.fingerprints, reference?.fingerprints ?? []);
      if (problems.length > 0) throw new Error(`${title}: ${side.name} made other tables:\n${problems.join('\n')}`);
    }
  }
  return results;
}

function megabytes({ peakBytes }: Sample): string {
  return peakBytes === null ? 'memory not measured' : `${(peakBytes / 1e6).toFixed(0)} MB`;
}
