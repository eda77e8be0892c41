import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { commandAt, nameCommands, type Standing } from '../../lib/cli/command-here.ts';
import { buildProgram } from '../../lib/cli/program.ts';

const PROJECT = '/home/ada/lake';
const BIN = `${PROJECT}/node_modules/.bin/strata`;
const installed = (project: string): string => `${project}/node_modules/@strata-lake/strata`;

describe('the command that works where the user stands', () => {
  const cases: readonly (readonly [string, Partial<Standing>, string])[] = [
    ['in the repository', { packageFolder: '/src/strata', folder: '/src/strata' }, 'npm run strata --'],
    [
      'outside of the repository whose sources run',
      { packageFolder: '/src/strata', folder: '/tmp', script: '/src/strata/bin/strata.ts' },
      'node /src/strata/bin/strata.ts',
    ],
    [
      'with a blank in the way to the sources',
      { packageFolder: '/my src/strata', folder: '/tmp', script: '/my src/strata/bin/strata.ts' },
      "node '/my src/strata/bin/strata.ts'",
    ],
    ['in a project', {}, 'npx strata'],
    ['in a folder of a project', { folder: `${PROJECT}/pipelines/shop` }, 'npx strata'],
    ['in a project that is linked to the repository', { packageFolder: '/src/strata', script: BIN }, 'npx strata'],
    [
      'in a project of pnpm',
      { packageFolder: installed(`${PROJECT}/node_modules/.pnpm/@strata-lake+strata@1.0.0`) },
      'npx strata',
    ],
    [
      'where npx fetched it',
      { packageFolder: installed('/home/ada/.npm/_npx/1f2'), folder: '/tmp' },
      'npx @strata-lake/strata',
    ],
    [
      'where it is installed for the machine',
      { packageFolder: installed('/usr/lib'), folder: '/tmp', script: '/usr/bin/strata' },
      'strata',
    ],
    ['outside of the project whose command was called', { folder: '/tmp' }, `node ${BIN}`],
    ['beside a project whose name begins alike', { folder: `${PROJECT}-2` }, `node ${BIN}`],
  ];
  for (const [where, standing, command] of cases) {
    test(`${where}: ${command}`, () => {
      const whole = { packageFolder: installed(PROJECT), folder: PROJECT, script: BIN, path: ['/bin', '/usr/bin'] };
      assert.equal(commandAt({ ...whole, ...standing }), command);
    });
  }
});

describe('what messages call a command', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['close it: strata breaker close shop', 'close it: npx strata breaker close shop'],
    ['as `strata files list shop` says (strata tables)', 'as `npx strata files list shop` says (npx strata tables)'],
    ['deploy, then npx strata run shop', 'deploy, then npx strata run shop'],
    ['the lake strata keeps is not run', 'the lake strata keeps is not run'],
    ['file:///lakes/strata run', 'file:///lakes/strata run'],
    ['strata running', 'strata running'],
  ];
  for (const [text, shown] of cases) test(text, () => assert.equal(nameCommands(text, 'npx strata'), shown));

  test('is known for every command', () => {
    const program = buildProgram({ print: () => undefined, note: () => undefined }, async () => undefined);
    for (const command of program.commands) {
      assert.equal(nameCommands(`strata ${command.name()} x`, 'S'), `S ${command.name()} x`);
    }
  });
});

/** Commands that are about a folder of pipelines or this machine, and of which nothing is on AWS, or other things are. */
const HERE_ALONE =
  /^(init|demo|generate|compile|test|build|pipelines|relocate|fetch|consume|completion|schedule run|incident simulate|bench)\b/;

describe('what a command is about', () => {
  test('is a deployed lake too, of any stage, wherever it is a lake', () => {
    const program = buildProgram({ print: () => undefined, note: () => undefined }, async () => undefined);
    const wrong = leavesOf(program, []).filter(({ name, options }) => {
      if (HERE_ALONE.test(name)) return false;
      const aws = options.some((one) => ['--aws', '--athena'].includes(one)) || name.startsWith('stacks');
      return !aws || !options.includes('--stage');
    });
    assert.deepEqual(wrong, []);
  });
});

type Leaf = { readonly name: string; readonly options: readonly string[] };

/** Every command that does something; what a command of two words is told may stand behind the first. */
function leavesOf(command: Command, inherited: readonly string[]): readonly Leaf[] {
  return command.commands.flatMap((one) => {
    const options = [...inherited, ...one.options.map(({ long }) => long ?? '')];
    const name = one.parent === null || one.parent.parent === null ? one.name() : `${one.parent.name()} ${one.name()}`;
    return one.commands.length > 0 ? leavesOf(one, options) : [{ name, options }];
  });
}
