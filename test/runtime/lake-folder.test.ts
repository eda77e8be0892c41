import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { checkFolder, requireFolder } from '../../lib/runtime/lake-folder.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { strataHere } from '../cli/child.ts';
import { openCliLake } from '../cli/lake.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-folder-'));
const at = (...names: readonly string[]): string => join(folder, ...names);
writeFileSync(at('file'), '');
mkdirSync(at('closed'));
chmodSync(at('closed'), 0o500);
symlinkSync(at('circle'), at('circle'));
after(() => rmSync(folder, { recursive: true }));

test('a folder is made with those above it, and is no error when it is there', async () => {
  for (let time = 0; time < 2; time += 1) await requireFolder(at('a', 'b', 'c'), '--root');
  assert.deepEqual(readdirSync(at('a', 'b')), ['c']);
});

/** The super-user may write everywhere. */
const mayAll = process.getuid?.() === 0;
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['a file', at('file'), /it is a file/],
  ['below a file', at('file', 'lake'), /it is a file, or lies below one \(ENOTDIR\)/],
  ['in a circle of links', at('circle', 'lake'), /ELOOP/],
  ['a name too long', at('n'.repeat(300)), /too long/],
  ...(existsSync('/proc') ? [['below /proc', '/proc/lake/x', /the system allows no folder there/] as const] : []),
  ...(mayAll ? [] : [['without the right', at('closed', 'lake'), /this user has no right/] as const]),
];

describe('a folder that cannot be is refused at once', () => {
  for (const [name, path, reason] of REFUSED) {
    test(name, async () => {
      const refused = (error: unknown): boolean =>
        error instanceof InvalidInput && reason.test(error.message) && error.message.startsWith('--root ');
      await assert.rejects(requireFolder(path, '--root'), refused);
    });
  }
});

test('a new lake is not made where the URLs of its files would end; one that is there stays usable', async () => {
  const open = (root: string, readOnly = false) =>
    openLocalLake({ root, pipelines: at('none'), readOnly, log: { info: () => {}, warn: () => {} } });
  for (const name of ['a#b', 'a?b']) {
    await assert.rejects(open(at(name)), {
      name: 'InvalidInput',
      message: /expected one without # and \?.*--location-base/,
    });
    await open(at(name), true);
    mkdirSync(at(name, 'ops'), { recursive: true });
    await open(at(name));
  }
  await open(at('a 100% b'));
});

test('for looking, nothing at all is as good as a folder, and a file is not', async () => {
  await checkFolder(at('none'), '--root');
  await checkFolder(folder, '--root');
  await assert.rejects(checkFolder(at('file'), '--root'), InvalidInput);
  await assert.rejects(checkFolder(at('file', 'x'), '--root'), InvalidInput);
});

describe('the commands end with 1', () => {
  const lake = openCliLake(
    'p',
    `{ name: 'p', sources: { s: csv({ columns: { a: 'int' } }) }, silver: { s: { from: 's' } } }`,
  );
  after(() => lake.close());
  const pipelines = join(lake.root, '..', 'pipelines');
  writeFileSync(at('s.csv'), 'a\n1\n');
  const impossible = existsSync('/proc') ? '/proc/none/lake' : at('file', 'lake');
  const CASES: readonly (readonly [readonly string[], RegExp])[] = [
    [['run', 'p', '--root', impossible], /^--root "/],
    [['land', 'p', 's', at('s.csv'), '--root', impossible], /^--root "/],
    [['tables', '--root', at('file')], /^--root "/],
    [['query', 'SELECT 1', '--root', at('file', 'x')], /^--root "/],
    [['generate', 'retail', '--out', impossible, '--root', at('none')], /^--out "/],
    [['run', 'p', '--pipelines', at('file')], /^--pipelines "/],
  ];
  for (const [args, message] of CASES) {
    test(args.slice(0, 2).join(' '), async () => {
      const { code, stdout, stderr } = await strataHere([
        ...(args.includes('--pipelines') ? [] : ['--pipelines', pipelines]),
        ...args,
      ]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }
});
