import { createPostgresLander, type PostgresDeps } from '../../adapters/origins/postgres.ts';
import type { PostgresOrigin } from '../../core/origins.ts';
import type { Lander } from '../../ports.ts';
import type { FetchDeps } from './fetch-sources.ts';

/** Lands tables of PostgreSQL where there is an engine, by which rows become files. */
export function tableLander(
  deps: FetchDeps & Pick<PostgresDeps, 'engine' | 'settings' | 'unique'>,
): (origin: PostgresOrigin) => Lander {
  const { store, engine, settings, unique, clock, secret = async () => undefined } = deps;
  return (origin) => createPostgresLander(origin, { store, engine, settings, unique, now: () => clock.now(), secret });
}
