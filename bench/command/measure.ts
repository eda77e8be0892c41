import { cp, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bundleCommand } from '../../lib/bundle/code.ts';
import type { Bench, Measured } from '../bench.ts';
import { type Figure, median, type Sample } from '../figures.ts';
import { freshFolder, WORK } from '../folders.ts';
import { measureTree } from '../process-tree.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Arguments of commands of the package, each with the processor time in seconds that it may take. */
const COMMANDS = [
  { args: ['--help'], bound: 0.08 },
  { args: ['query', 'select 1'], bound: 0.3 },
  { args: ['run', 'retail'], bound: 0.5, name: 'run retail, with nothing new' },
] as const;

/** The command as a package brings it, and beside it the sources: processor time of whole processes. */
export async function measureCommand(bench: Bench): Promise<Measured> {
  const folder = await packedCommand();
  const packed = join(folder, 'dist', 'bin', 'strata.js');
  // A lake of the retail sample; and Node keeps what it has compiled.
  await measureTree(process.execPath, [packed, 'demo'], folder);
  const figures: Figure[] = [];
  for (const { args, bound, ...given } of COMMANDS) {
    const ours: Sample[] = [];
    const sources: Sample[] = [];
    for (let round = 0; round <= bench.rounds; round += 1) {
      ours.push(await measureTree(process.execPath, [packed, ...args], folder));
      sources.push(await measureTree(process.execPath, [join(ROOT, 'bin', 'strata.ts'), ...args], folder));
    }
    const name = `strata ${'name' in given ? given.name : args.join(' ')}: processor time`;
    bench.log(`${name} ${seconds(ours).toFixed(3)} s, of the sources ${seconds(sources).toFixed(3)} s`);
    const detail = `of the package; ${seconds(sources).toFixed(2)} s of the sources`;
    figures.push({ name, value: seconds(ours), unit: 's', bound, detail });
  }
  return { figures, fingerprints: [], skipped: [] };
}

/** Without the first round, in which caches may be cold. */
function seconds(samples: readonly Sample[]): number {
  return median(samples.slice(1).flatMap(({ cpuMs }) => cpuMs ?? [])) / 1000;
}

/** A folder in which the command lies as it does in the package. */
export async function packedCommand(): Promise<string> {
  const folder = await freshFolder(join(WORK, 'command'));
  await bundleCommand(ROOT, join(folder, 'dist', 'bin'));
  for (const name of ['package.json', 'statemachines', 'pipelines']) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  // A pipeline file imports the package by its name, which is declared in lib.
  for (const name of ['lib', 'node_modules']) await symlink(join(ROOT, name), join(folder, name));
  return folder;
}
