import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { bundleCommand } from './code.ts';
import { entriesOf, packedManifest, sourceManifest } from './manifest.ts';
import { shipFunctions } from './source.ts';

const run = promisify(execFile);

/** The pipeline that `demo` runs where a project has none of that name. */
const SAMPLE = 'pipelines/retail';

/** What the tarball takes from `dist`, each made anew. */
const BUILT = ['bin', 'lib', 'pipelines'] as const;

/**
 * Builds the package into `root`/dist, and lets package.json name what was built: the command bundled, JavaScript
 * and declarations of what the exports reach, the functions bundled, the sample. Node reads no
 * TypeScript below node_modules.
 */
export async function buildPackage(root: string): Promise<void> {
  const dist = join(root, 'dist');
  for (const folder of BUILT) await rm(join(dist, folder), { recursive: true, force: true });
  const manifest = join(root, 'package.json');
  const text = await readFile(manifest, 'utf8');
  const { exports } = entriesOf(text);
  await bundleCommand(root, join(dist, 'bin'));
  await compile(root, [...exports, `${SAMPLE}/pipeline.ts`], { declaration: false });
  await compile(root, exports, { declaration: true, emitDeclarationOnly: true });
  await cp(join(root, SAMPLE), join(dist, SAMPLE), { recursive: true, filter: shipsWith });
  await shipFunctions(root, join(dist, 'functions'));
  await writeFile(manifest, packedManifest(text));
}

/** Lets package.json name the sources again, also after a build whose packing was cut short. */
export async function restoreManifest(root: string): Promise<void> {
  const manifest = join(root, 'package.json');
  await writeFile(manifest, sourceManifest(await readFile(manifest, 'utf8')));
}

/** What lies beside a compiled pipeline: its SQL. */
function shipsWith(path: string): boolean {
  return !path.endsWith('.ts') && basename(path) !== 'test';
}

/** Emits the files and what they import, at their own paths below dist. Types are checked by `npm test`. */
async function compile(root: string, files: readonly string[], emit: Readonly<Record<string, boolean>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-package-'));
  const project = join(folder, 'tsconfig.json');
  const compilerOptions = {
    rootDir: root,
    outDir: join(root, 'dist'),
    noEmit: false,
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    typeRoots: [join(root, 'node_modules', '@types')],
    ...emit,
  };
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions,
    include: [],
    files: files.map((file) => join(root, file)),
  };
  try {
    await writeFile(project, JSON.stringify(config));
    await run(join(root, 'node_modules', '.bin', 'tsc'), ['--project', project], { cwd: root });
  } finally {
    await rm(folder, { recursive: true });
  }
}
