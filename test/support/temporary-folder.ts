import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];
process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A folder of this process, by its real path: it goes with the process. `name` tells whose it is. */
export function temporaryFolder(name: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `strata-${name}-`)));
  // Others may go through it, for tests of what another user may.
  chmodSync(folder, 0o755);
  made.push(folder);
  return folder;
}
