import type { Session } from '../lib/ports.ts';
import type { Figure, Sample } from './figures.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Sizes } from './settings.ts';

/** What a measurement works with. */
export type Bench = {
  readonly sizes: Sizes;
  readonly rounds: number;
  /** For making inputs and reading fingerprints; never measured. */
  readonly session: Session;
  readonly log: (line: string) => void;
};

export type SideResult = Sample & { readonly fingerprints: readonly Fingerprint[] };

export type Measured = {
  readonly figures: readonly Figure[];
  readonly fingerprints: readonly Fingerprint[];
  /** What was left out, with the reason. */
  readonly skipped: readonly string[];
};
