import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { createContext, DEFAULTS } from '../../lib/cli/context.ts';
import { main } from '../../lib/cli/main.ts';
import { DIM_NULL } from '../../lib/cli/output/formats.ts';
import { createTerminal, ReaderGone, StreamFailed } from '../../lib/cli/terminal.ts';

function streams(isTTY: boolean) {
  const stdout = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 });
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY });
  const read = (stream: PassThrough): string => (stream.read() as string | null) ?? '';
  return { stdout, stderr, said: () => ({ stdout: read(stdout), stderr: read(stderr) }) };
}

/** A stream that takes nothing, as one whose reader went, or a full disk. */
function closed(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`write ${code}`), { code })),
  });
}

describe('the terminal', () => {
  for (const isTTY of [true, false]) {
    test(`text is escaped on both streams, ${isTTY ? 'on a screen' : 'in a pipe'}`, async () => {
      const { said, ...given } = streams(isTTY);
      const terminal = createTerminal(given);
      await terminal.print('a\u001b[2Jb\u202e\n');
      terminal.stderr.write('c\u009bd\n');
      assert.deepEqual(said(), { stdout: 'a\\u001b[2Jb\\u202e\n', stderr: 'c\\u009bd\n' });
    });
  }

  test('data is exact in a pipe, and escaped on a screen', async () => {
    const [pipe, screen] = [streams(false), streams(true)];
    await createTerminal(pipe).printData('a,\u001b[2J\r\n');
    await createTerminal(screen).printData('a,\u001b[2J\r\n');
    assert.deepEqual([pipe.said().stdout, screen.said().stdout], ['a,\u001b[2J\r\n', 'a,\\u001b[2J\n']);
  });

  test('tables fit a screen, unless they may be wide; a pipe has no width and no colours', () => {
    const layout = (isTTY: boolean, wide: boolean) =>
      createContext({ ...DEFAULTS, json: false, debug: false, wide }, createTerminal(streams(isTTY))).layout;
    assert.equal(layout(true, false).width, 80);
    assert.deepEqual(Object.keys(layout(true, true)), ['color']);
    assert.deepEqual([layout(false, false), layout(false, true)], [{}, {}]);
  });

  test('a dimmed NULL is the one order that a screen gets, and a pipe gets none', async () => {
    const [pipe, screen] = [streams(false), streams(true)];
    for (const given of [pipe, screen]) await createTerminal(given).print(`${DIM_NULL}\u001b[2m\n`);
    assert.equal(screen.said().stdout, `${DIM_NULL}\\u001b[2m\n`);
    assert.equal(pipe.said().stdout, '\\u001b[2mNULL\\u001b[22m\\u001b[2m\n');
  });

  test('a reader that went differs from a disk that is full', async () => {
    const stderr = new PassThrough();
    await assert.rejects(createTerminal({ stdout: closed('EPIPE'), stderr }).print('x'), ReaderGone);
    await assert.rejects(createTerminal({ stdout: closed('ENOSPC'), stderr }).print('x'), StreamFailed);
  });
});

describe('a command without a reader', () => {
  const ended = async (stdout: Writable, stderr: Writable): Promise<number> =>
    main(['compile', 'none', '--pipelines', '/nowhere', '--json'], { stdout, stderr });

  test('ends as it would have ended', async () => {
    assert.equal(await ended(closed('EPIPE'), closed('EPIPE')), 1);
    assert.equal(await ended(closed('ENOSPC'), new PassThrough()), 1);
  });

  test('help that no one reads is no error, and help on a full disk is one', async () => {
    assert.equal(await main(['--help'], { stdout: closed('EPIPE'), stderr: new PassThrough() }), 0);
    assert.equal(await main(['--help'], { stdout: closed('ENOSPC'), stderr: new PassThrough() }), 2);
  });
});
