import { InvalidInput } from '../core/errors.ts';

const DEFAULT_MS = 60_000;

/** Milliseconds for which a lock on a machine is its holder's without being renewed, as the environment sets it. Throws InvalidInput. */
export function leaseMs(setting: string | undefined): number {
  if (setting === undefined || setting === '') return DEFAULT_MS;
  const ms = Number(setting);
  if (Number.isInteger(ms) && ms >= 100) return ms;
  throw new InvalidInput(
    `STRATA_LEASE_MS: got ${JSON.stringify(setting)}; expected a whole number of milliseconds from 100`,
  );
}
