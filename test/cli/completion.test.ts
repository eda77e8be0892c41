import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Command } from 'commander';
import { completionScript } from '../../lib/cli/completion/scripts.ts';
import { completedBy } from '../../lib/cli/completion/words.ts';
import { strataHere } from './child.ts';

function program(): Command {
  const strata = new Command('strata').option('--root <dir>', "the lake's folder").option('-x', 'has no long name');
  strata.command('run').description('takes what has landed').argument('<pipeline>').option('--wait', "don't end");
  strata.command('query').description('a SELECT').argument('<sql>');
  const quarantine = strata.command('quarantine').description('rejected rows');
  quarantine.command('show').description('one row').argument('<pipeline>').option('--deep', 'all of it');
  return strata;
}

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-completion-'));
  for (const name of ['retail', 'shop']) {
    mkdirSync(join(folder, 'pipelines', name), { recursive: true });
    writeFileSync(join(folder, 'pipelines', name, 'pipeline.ts'), '');
  }
  mkdirSync(join(folder, 'pipelines', 'no-pipeline'));
});
after(() => rmSync(folder, { recursive: true }));

/** What a shell offers for the last word of a line. */
function offered(script: string, ...words: readonly string[]): readonly string[] {
  const lines = [script, 'COMP_WORDS=("$@")', 'COMP_CWORD=$(($# - 1))', '_strata', 'printf "%s\\n" "${COMPREPLY[@]}"'];
  const text = execFileSync('bash', ['-c', lines.join('\n'), 'bash', 'strata', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  return text.split('\n').filter((line) => line !== '');
}

const OFFERED: readonly (readonly [string, readonly string[]])[] = [
  ['', ['run', 'query', 'quarantine']],
  ['q', ['query', 'quarantine']],
  ['--r', ['--root']],
  ['--root lake qua', ['quarantine']],
  ['run ', ['retail', 'shop']],
  ['run sh', ['shop']],
  ['run --', ['--wait', '--root']],
  ['run shop --w', ['--wait']],
  ['query sh', []],
  ['quarantine ', ['show']],
  ['quarantine show --d', ['--deep']],
  ['quarantine show ', ['retail', 'shop']],
];

describe('bash completes', () => {
  const script = completionScript('bash', completedBy(program()));
  for (const [line, words] of OFFERED) {
    test(JSON.stringify(line), () => {
      assert.deepEqual(offered(script, ...line.split(' ')), words);
    });
  }
});

test('zsh takes the same by its emulation of bash', () => {
  const lines = completionScript('zsh', completedBy(program())).split('\n');
  assert.ok(lines.includes('autoload -Uz +X bashcompinit && bashcompinit'));
  assert.deepEqual(lines.slice(3), completionScript('bash', completedBy(program())).split('\n').slice(1));
});

test('fish has each word with what it is for', () => {
  const lines = completionScript('fish', completedBy(program())).split('\n');
  for (const line of [
    "complete -c strata -n 'not __fish_seen_subcommand_from run query quarantine' -f -a 'run' -d 'takes what has landed'",
    "complete -c strata -n 'true' -l 'root' -d 'the lake'\\''s folder'",
    "complete -c strata -n '__fish_seen_subcommand_from run' -l 'wait' -d 'don'\\''t end'",
    "complete -c strata -n '__fish_seen_subcommand_from quarantine; and not __fish_seen_subcommand_from show' -f -a 'show' -d 'one row'",
    "complete -c strata -n '__fish_seen_subcommand_from quarantine; and __fish_seen_subcommand_from show' -l 'deep' -d 'all of it'",
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.equal(lines.filter((line) => line.includes("-l 'root'")).length, 1);
  assert.equal(lines.filter((line) => line.includes('pipelines/*/pipeline.ts')).length, 2);
});

test('the command prints it, and says which shells there are', async () => {
  const { code, stdout } = await strataHere(['completion', 'bash']);
  assert.equal(code, 0);
  assert.ok(offered(stdout, 'line').includes('lineage'));
  assert.deepEqual(offered(stdout, 'quarantine', 'sh'), ['show']);
  const { code: wrong, stderr } = await strataHere(['completion', 'tcsh']);
  assert.equal(wrong, 1);
  assert.match(stderr, /Allowed choices are bash, zsh, fish/);
});
