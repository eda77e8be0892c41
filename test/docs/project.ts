import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** A folder in which the blocks of a page are run, as a project that has the package installed. */
export type PageProject = {
  readonly folder: string;
  write(file: string, text: string): void;
  /** What bash prints on a terminal, both streams. Throws when it ends with another code than 0, unless that is asked for. */
  run(script: string, code?: number): Promise<string>;
  close(): void;
};

/** Pipelines of the repository that pages speak of. */
const SAMPLES = ['hr', 'retail'];

/** `page`: begins with the files of test/docs/projects of that name, if there are any. */
export function openProject(page: string): PageProject {
  const folder = mkdtempSync(join(tmpdir(), 'strata-docs-'));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  mkdirSync(join(modules, '@strata-lake'));
  symlinkSync(ROOT, join(modules, '@strata-lake', 'strata'));
  symlinkSync(join(ROOT, 'bin', 'strata.ts'), join(modules, '.bin', 'strata'));
  for (const name of ['aws-cdk-lib', 'constructs', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  // npx itself takes longer than the command, and does the same.
  const npx = join(folder, 'node_modules', '.shims', 'npx');
  mkdirSync(dirname(npx));
  // What stands in the place of a server that the page asks, where its project has that.
  writeFileSync(
    npx,
    `#!/bin/sh\nanswers=; [ ! -f answers.mjs ] || answers=--import=./answers.mjs\nname=$1; shift\nexec node $answers "$PWD/node_modules/.bin/$name" "$@"\n`,
  );
  chmodSync(npx, 0o755);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  for (const name of SAMPLES)
    cpSync(join(ROOT, 'pipelines', name), join(folder, 'pipelines', name), { recursive: true });
  const start = join(import.meta.dirname, 'projects', page);
  if (existsSync(start)) cpSync(start, folder, { recursive: true });
  const PATH = [dirname(npx), dirname(process.execPath), process.env['PATH']].join(delimiter);
  return {
    folder,
    write(file, text) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    },
    run: (script, code = 0) =>
      new Promise((ended, failed) => {
        const options = { cwd: folder, env: { ...process.env, PATH }, maxBuffer: 1e8 };
        const child = execFile('bash', ['-e', '-c', `exec 2>&1\n${script}`], options, (_error, printed) => {
          if (child.exitCode === code) ended(printed);
          else failed(new Error(`${script}\nended with ${child.exitCode}:\n${printed}`));
        });
      }),
    close: () => rmSync(folder, { recursive: true }),
  };
}
