import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { buildProgram } from '../../lib/cli/program.ts';
import { type Block, blocksOf, missingLines, withoutChance } from './blocks.ts';
import { openProject, type PageProject } from './project.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** What a newcomer reads first. */
export const FIRST_PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'templates/project/README.md'];
/** The other pages: their commands take a while together. */
export const OTHER_PAGES: readonly string[] = globSync('docs/*.md', { cwd: ROOT }).sort();

const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;
const CI = readFileSync(join(ROOT, '.ci/run'), 'utf8');

/** Scripts that .ci/run leaves out: what they do is no check. */
const NO_CHECKS = ['bench', 'format'];

/** A test for each block of the pages: what it runs, prints or declares. */
export function testPages(pages: readonly string[]): void {
  for (const page of pages) {
    const blocks = blocksOf(page);
    if (blocks.length === 0) continue;
    describe(page, () => {
      let project: PageProject;
      before(async () => {
        project = openProject(page.replace(/^docs\/|\.md$/g, ''));
        for (const block of blocks) {
          if (block.options['file'] !== undefined) project.write(block.options['file'], block.text);
        }
        if (existsSync(join(project.folder, 'setup.sh'))) await project.run('sh setup.sh');
      });
      after(() => project.close());

      for (const [at, block] of blocks.entries()) {
        const next = blocks[at + 1];
        test(`${page}:${block.line} ${block.language}`, () => checkBlock(project, block, next));
      }
      if (blocks.some((block) => block.language === 'ts')) {
        test('the types of its examples', () => checkTypes(project, blocks));
      }
    });
  }
}

async function checkBlock(project: PageProject, block: Block, next: Block | undefined): Promise<void> {
  const { by, of, code, file } = block.options;
  if (by !== undefined) {
    assert.ok(SCRIPTS[by], `npm run ${by}: no such script`);
    assert.match(CI, new RegExp(`^ *npm run ${by}\\b`, 'm'));
    return;
  }
  if (of !== undefined) return comparePrinted(block, await project.run(of, Number(code ?? 0)));
  switch (block.language) {
    case 'sh':
      if (block.words.includes('repository')) return checkScripts(block);
      if (block.words.includes('aws')) return checkArguments(block);
      return checkRun(project, block, next);
    case 'text':
      if (block.words.includes('tree')) return checkTree(block);
      // What is printed was compared where it was; a figure says so.
      return assert.ok(block.words.includes('figure') || (block.follows && block.words.length <= 1), unknown(block));
    case 'ts':
      return;
    default:
      // Files of the project are used by its commands.
      return assert.ok(file !== undefined, unknown(block));
  }
}

function unknown({ page, line, language }: Block): string {
  return `${page}:${line}: nothing says how a block of ${JSON.stringify(language)} is checked; see test/docs/blocks.ts`;
}

async function checkRun(project: PageProject, block: Block, next: Block | undefined): Promise<void> {
  const printed = await project.run(block.text);
  if (next?.language === 'text' && next.follows && next.options['of'] === undefined) comparePrinted(next, printed);
}

function comparePrinted(block: Block, printed: string): void {
  const [expected, got] = [withoutChance(block.text), withoutChance(printed)];
  if (!block.words.includes('part')) assert.equal(got, expected);
  assert.deepEqual(missingLines(expected, got), [], `lines that are not printed:\n${got}`);
}

/** Lines without their comments. */
function commandsOf({ text }: Block): readonly string[] {
  return text
    .split('\n')
    .flatMap((line) => line.replace(/\s+#.*$/, '').split(' && '))
    .filter((line) => line !== '');
}

function checkScripts(block: Block): void {
  for (const command of commandsOf(block)) {
    const [, script] = /^npm (?:run )?([\w:-]+)/.exec(command) ?? [];
    const [, file] = /^(?:node_modules\/\.bin\/node --test )?([\w./-]+)$/.exec(command) ?? [];
    if (script === undefined) assert.ok(file !== undefined && existsSync(join(ROOT, file)), command);
    else if (script !== 'ci') {
      assert.ok(SCRIPTS[script], `${command}: no such script`);
      if (!NO_CHECKS.includes(script)) assert.match(CI, new RegExp(`\\bnpm (run )?${script}\\b`), command);
    }
  }
}

/** The command line's own parser takes the arguments; the CDK's commands are few. */
async function checkArguments(block: Block): Promise<void> {
  for (const command of commandsOf(block)) {
    const [, args] = /^npx strata (.*)$/.exec(command) ?? [];
    if (args === undefined) {
      const [, template, given] =
        /^aws cloudformation deploy --template-file (\S+) .*--parameter-overrides (\w+)=\S+$/.exec(command) ?? [];
      if (template !== undefined) {
        const { Parameters } = parse(readFileSync(join(ROOT, 'templates', 'aws', template), 'utf8'));
        assert.ok(given !== undefined && given in Parameters, command);
        continue;
      }
      assert.match(command, /^(npm ci|npx cdk (bootstrap|synth|deploy --all|destroy --all)( -c \w+=\S+)*)$/);
      continue;
    }
    const words = [...args.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    let taken = false;
    const program = buildProgram({ print: () => undefined, note: assert.fail }, async () => {
      taken = true;
    });
    await program.parseAsync(words, { from: 'user' });
    assert.ok(taken, command);
  }
}

/** A map of folders names what is there, and all of lib. */
function checkTree({ text }: Block): void {
  const folders: string[] = [];
  const named: string[] = [];
  for (const [, indent = '', name = ''] of text.matchAll(/^( *)([\w.<>/-]+?)\/?(?= {2,}|$)/gm)) {
    if (indent.length > 2) continue;
    folders[indent.length / 2] = name;
    named.push(folders.slice(0, indent.length / 2 + 1).join('/'));
  }
  const places = named.filter((place) => !place.includes('<'));
  assert.deepEqual(
    places.filter((place) => !existsSync(join(ROOT, place))),
    [],
  );
  const inLib = globSync('lib/*', { cwd: ROOT }).filter((place) => !places.includes(place));
  assert.deepEqual(inLib, [], 'not on the map');
}

/** Everything that a pipeline file may import, for examples that are a part of one. */
const NAMES =
  'append, bucket, csv, day, full, hour, identity, json, month, parquet, replace, scd2, secret, seed, unique, upsert';

async function checkTypes(project: PageProject, blocks: readonly Block[]): Promise<void> {
  const examples = blocks.filter(({ language }) => language === 'ts');
  for (const { line, words, options, text } of examples) {
    if (options['file'] !== undefined) continue;
    const sources = /^sources:/m.test(text) ? '' : 'sources: {},';
    const head = `import { ${NAMES}, definePipeline } from '@strata-lake/strata';\nexport default definePipeline({ name: 'x', ${sources}\n`;
    project.write(`examples/line${line}.ts`, words.includes('fragment') ? `${head}${text}});\n` : text);
  }
  const compilerOptions = { noEmit: true, skipLibCheck: true, noUnusedLocals: false, preserveSymlinks: false };
  const extending = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['examples', 'pipelines'] };
  project.write('tsconfig.json', JSON.stringify(extending));
  await project.run(`"${join(ROOT, 'node_modules', '.bin', 'tsc')}" -p .`);
}
