import { createPostgresLander } from '../../adapters/origins/postgres.ts';
import type { PostgresOrigin } from '../../core/origins.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { Lander } from '../../ports.ts';

/** Lands tables of PostgreSQL where there is an engine, by which rows become files. */
export function tableLander(deps: StepDeps): (origin: PostgresOrigin) => Lander {
  const { store, engine, settings, ids, clock, secret = async () => undefined } = deps;
  return (origin) =>
    createPostgresLander(origin, { store, engine, settings, unique: ids.unique, now: () => clock.now(), secret });
}
