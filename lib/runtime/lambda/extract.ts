import { randomBytes } from 'node:crypto';
import { allowedBytes, threadsOf } from '../../core/worker-memory.ts';
import { createDuckDbEngine } from '../../engine/duckdb.ts';
import { tableLander } from '../origins/table-lander.ts';
import { parseEnvironment } from './environment.ts';
import { type OriginDeps, originDeps } from './origins.ts';
import { withFreshScratch } from './scratch.ts';

/** Made once for each environment of the function. */
const engine = createDuckDbEngine();

/** Gives an action what `originDeps` gives, and what rows of tables take: an engine, and a folder of its own for each call. */
export async function extractDeps<T>(act: (given: OriginDeps) => Promise<T>): Promise<T> {
  const { tmp, tmpMb, memoryMb } = parseEnvironment(process.env);
  return withFreshScratch(tmp, (scratch) => {
    const given = originDeps(scratch);
    const settings = {
      memoryBytes: allowedBytes(memoryMb),
      spillBytes: tmpMb * 2 ** 20,
      threads: threadsOf(memoryMb),
      scratch,
      folders: [scratch],
    };
    const unique = (): string => randomBytes(6).toString('hex');
    return act({ ...given, deps: { ...given.deps, table: tableLander({ ...given.deps, engine, settings, unique }) } });
  });
}
