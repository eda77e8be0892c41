import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { buildProgram } from '../../lib/cli/program.ts';

/** Commands with those below them, `files list`; those that take an option. */
function namesOf(command: Command, option?: string, above: readonly string[] = []): readonly string[] {
  return command.commands.flatMap((one) => {
    const path = [...above, one.name()];
    const below = namesOf(one, option, path);
    const own = option === undefined ? one.commands.length === 0 : one.options.some(({ long }) => long === option);
    return own ? [path.join(' '), ...below] : below;
  });
}

const [HERE = '', DEPLOYED = ''] = (readFileSync('README.md', 'utf8').split('\n## Commands\n')[1] ?? '').split(
  '\nOn a lake that was deployed',
);

/** First columns of rows that name commands. */
function cellsOf(section: string): readonly string[] {
  const tables = section.split('\n## ')[0] ?? '';
  return tables.split('\n').flatMap((line) => /^\| (`.*?) +\| /.exec(line)?.[1] ?? []);
}

/** What they name, `a\|b` as both. */
function namedIn(cells: readonly string[]): readonly string[] {
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, text = '']) => spread(text)));
}

function spread(text: string): readonly string[] {
  const [name = '', below = ''] = text.replaceAll(/[[\]]/g, '').split(' ');
  return [name, ...below.split('\\|').map((one) => `${name} ${one}`)];
}

describe('the table of commands in README', () => {
  const program = buildProgram({ print: () => undefined, note: () => undefined }, async () => undefined);
  const known = namesOf(program);

  test('has every command', () => {
    const named = new Set(namedIn(cellsOf(HERE)));
    assert.deepEqual(
      known.filter((name) => !named.has(name)),
      [],
    );
  });

  test('has every command that takes a deployed lake', () => {
    const named = new Set(namedIn([...cellsOf(DEPLOYED), ...cellsOf(HERE).filter((cell) => cell.includes('--aws'))]));
    assert.deepEqual(
      namesOf(program, '--aws').filter((name) => !named.has(name)),
      [],
    );
  });

  test('names no command that there is not', () => {
    const first = new Set(known.map((name) => name.split(' ')[0]));
    const named = namedIn([...cellsOf(HERE), ...cellsOf(DEPLOYED)]).map((name) => name.split(' ')[0] ?? '');
    assert.deepEqual(
      named.filter((name) => !first.has(name) && !name.startsWith('--')),
      [],
    );
  });
});
