import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, SideResult } from './bench.ts';
import { measureNode } from './child.ts';
import { packedCommand } from './command/measure.ts';
import type { Sample } from './figures.ts';
import type { FingerprintSpec } from './fingerprint.ts';
import { freshFolder, linkFiles, WORK } from './folders.ts';
import { readFolder, readLake } from './read-tables.ts';

/** The command as the package brings it, made once. */
let packed: Promise<string> | undefined;

/** Where the lake of a side is. */
export const LAKE = join(WORK, 'lake');

type LakeWork = {
  readonly pipeline: string;
  readonly pipelines: string;
  /** Source name -> folder with its files. */
  readonly sources: Readonly<Record<string, string>>;
  readonly tables: readonly FingerprintSpec[];
  /** More of the command line. */
  readonly options?: readonly string[];
};

/** Lands the files in a new lake, unmeasured, and measures `strata run`. */
export async function runLake(bench: Bench, work: LakeWork): Promise<SideResult> {
  const root = await freshFolder(LAKE);
  for (const [source, folder] of Object.entries(work.sources)) {
    await linkFiles(folder, join(root, 'bronze', work.pipeline, source));
  }
  const sample = await measureRun(root, work);
  return { ...sample, fingerprints: await readLake(bench.session, root, work.pipeline, work.tables) };
}

/** Measures `strata run`, the command as it ships, over what has landed. */
export async function measureRun(
  root: string,
  { pipeline, pipelines, options = [] }: Pick<LakeWork, 'pipeline' | 'pipelines' | 'options'>,
): Promise<Sample> {
  packed ??= packedCommand();
  const command = join(await packed, 'dist', 'bin', 'strata.js');
  const run = ['--root', root, '--pipelines', pipelines, ...options, '--json', 'run', pipeline];
  const { stdout, ...sample } = await measureNode(command, run, WORK);
  const { status } = JSON.parse(stdout) as { readonly status?: unknown };
  if (status !== 'SUCCEEDED') throw new Error(`the run of ${pipeline} did not succeed: ${stdout}`);
  return sample;
}

/** Runs a floor script in a process of its own, into an empty folder. */
export async function runFloor(
  bench: Bench,
  script: URL,
  input: string,
  tables: readonly FingerprintSpec[],
  ...more: readonly string[]
): Promise<SideResult> {
  const output = await freshFolder(join(WORK, 'floor'));
  const { stdout: _, ...sample } = await measureNode(fileURLToPath(script), [input, output, ...more], WORK);
  return { ...sample, fingerprints: await readFolder(bench.session, output, tables) };
}
