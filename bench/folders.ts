import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the benchmark works; git ignores it. */
export const WORK = fileURLToPath(new URL('../.bench', import.meta.url));
export const PIPELINES = fileURLToPath(new URL('../pipelines', import.meta.url));
export const BENCH_PIPELINES = fileURLToPath(new URL('pipelines', import.meta.url));

/** An empty folder. */
export async function freshFolder(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}

/**
 * Makes generated input once. It is made again when the source files that it depends on have changed, or when it was
 * not finished: a mark beside the folder says what it was made from.
 */
export async function madeOnce(
  name: string,
  dependsOn: readonly URL[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(WORK, 'data', name);
  const mark = `${folder}.made-from`;
  const hash = createHash('sha256');
  for (const source of dependsOn) hash.update(await readFile(source));
  const from = hash.digest('hex');
  if ((await readFile(mark, 'utf8').catch(() => '')) === from) return folder;
  await make(await freshFolder(folder));
  await writeFile(mark, from);
  return folder;
}

/** Puts every file of a folder, and of those below it, into another one without copying its bytes. */
export async function linkFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkFiles(source, target);
    else await link(source, target);
  }
}
