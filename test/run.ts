import { spawn } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';

/**
 * `npm run test:unit`: every `*.test.ts` below `test`, two lines of work at once. Most files run in a process of their
 * own; those of a group below share one, since starting it and loading what they need takes longer than the tests do.
 * What a group has to say is printed when it ends. Each has a temporary folder of its own, in which it may leave nothing.
 * Ends with 1 when any test failed or left something, or when there was none.
 */

/** Folders whose tests change nothing that outlives them: no environment, no mock of a module or of a client's class. */
const SHARED: readonly (readonly string[])[] = [
  ['steps'],
  ['query', 'lake', 'landing', 'quarantine', 'model-tests', 'readback', 'rehearsal', 'bench', 'exploration'],
  ['infra'],
  [
    'sql',
    'core',
    'compile',
    'plan',
    'iceberg',
    'table',
    'asl',
    'statemachines',
    'define',
    'engine',
    'generate',
    'report',
  ],
];

const LINES = 2;
const OPTIONS = ['--test', '--test-concurrency=1'];

type Group = { readonly name: string; readonly files: readonly string[]; readonly options: readonly string[] };

const root = join(import.meta.dirname, '..');
const groups = groupsOf(globSync('test/**/*.test.ts', { cwd: root }).sort());
const failed: string[] = [];
await Promise.all(Array.from({ length: LINES }, workOff));
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** The shared groups first, then those of many files: they take longest, and the other line has something left to do beside them. */
function groupsOf(files: readonly string[]): Group[] {
  if (files.length === 0) throw new Error('no test files');
  const folders = Map.groupBy(files, (file) => file.split(sep)[1] ?? '');
  const shared = SHARED.map((names) => {
    const found = names.flatMap((name) => {
      const own = folders.get(name);
      if (own === undefined) throw new Error(`test/${name} has no tests: test/run.ts names it`);
      own.forEach(refuseHooks);
      folders.delete(name);
      return own;
    });
    return { name: names.join(', '), files: found, options: ['--test-isolation=none'] };
  });
  const others = Array.from(folders, ([name, own]) => ({ name, files: own, options: [] }));
  return [...shared, ...others.sort((a, b) => b.files.length - a.files.length)];
}

/** What a file does before or after each test, outside of `describe`, is done for every test of the process. */
function refuseHooks(file: string): void {
  const [hook] = /^(before|after)Each\(/m.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  if (hook !== undefined)
    throw new Error(`${file}: ${hook} outside of describe, in a process that it shares with others`);
}

async function workOff(): Promise<void> {
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    const temporary = mkdtempSync(join(tmpdir(), 'strata-tests-'));
    // Others may go through it, for tests of what another user may.
    chmodSync(temporary, 0o755);
    const { code, said, seconds } = await runGroup(group, temporary);
    console.log(`\n== ${group.name}: ${group.files.length} files, ${seconds} s\n${said}`);
    const left = readdirSync(temporary);
    if (left.length > 0) console.log(`left in the temporary folder: ${left.join(', ')}`);
    if (code !== 0 || left.length > 0) failed.push(group.name);
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function runGroup(
  { files, options }: Group,
  temporary: string,
): Promise<{ code: number; said: string; seconds: string }> {
  const started = performance.now();
  const child = spawn(process.execPath, [...OPTIONS, ...options, ...files], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const code = await new Promise<number>((ended, failed) => {
    child.on('error', failed).on('close', (status) => ended(status ?? 1));
  });
  return { code, said: said.join(''), seconds: ((performance.now() - started) / 1000).toFixed(0) };
}
