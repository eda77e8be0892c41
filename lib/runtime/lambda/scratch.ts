import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives an action a new folder below `tmp` and removes it afterwards. An environment works on one call at a time, so
 * what lies there before was left by one that was killed, and is removed first.
 */
export async function withFreshScratch<T>(tmp: string, act: (folder: string) => Promise<T>): Promise<T> {
  const root = join(tmp, 'strata');
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  const folder = await mkdtemp(join(root, 'call-'));
  try {
    return await act(folder);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
