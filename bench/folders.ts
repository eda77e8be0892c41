import { link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
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

/** Makes generated input once: a folder is complete when its mark is there, and is made again otherwise. */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(WORK, 'data', name);
  const mark = `${folder}.done`;
  if ((await stat(mark).catch(() => undefined)) !== undefined) return folder;
  await make(await freshFolder(folder));
  await writeFile(mark, '');
  return folder;
}

/** Puts every file of a folder into another one without copying its bytes. */
export async function linkFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) await link(join(from, name), join(to, name));
}
