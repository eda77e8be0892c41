import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createProgress } from '../../../lib/cli/output/progress.ts';
import { createTerminal } from '../../../lib/cli/terminal.ts';

function capture(isTTY: boolean) {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 80 });
  return {
    progress: createProgress(createTerminal({ stdout: new PassThrough(), stderr: stream }).stderr),
    text: () => (stream.read() as string | null) ?? '',
  };
}

test('plain lines where there is no terminal', () => {
  const { progress, text } = capture(false);
  progress.step('open');
  progress.step('stage silver.sales', 1200);
  progress.tick('stage silver.sales');
  progress.tick('stage silver.sales', 1199);
  progress.lines.write('warn late\n');
  progress.done('open', 12);
  progress.done('stage silver.sales', 1500);
  progress.done('never started', 0);
  progress.close();
  assert.equal(
    text(),
    [
      'open: started',
      'stage silver.sales: 1,200 to do',
      'warn late',
      'open: done in 12 ms',
      'stage silver.sales: 1,200 of 1,200 in 1.5 s',
      'never started: done in 0 ms',
      '',
    ].join('\n'),
  );
});

test('bars on a terminal, and finished steps as lines above them', () => {
  const { progress, text } = capture(true);
  progress.step('stage', 4);
  progress.tick('stage', 3);
  progress.lines.write('warn late\n');
  const during = text();
  assert.match(during, /warn late\n/);
  assert.match(during, /stage █+░+ 3\/4/);
  progress.done('stage', 2000);
  assert.match(text(), /stage: 3 of 4 in 2\.0 s\n/);
  progress.close();
});

test('a step may learn its total later', () => {
  const { progress, text } = capture(true);
  progress.step('merge');
  progress.lines.write('\n');
  assert.match(text(), /merge ░+ 0\/\?/);
  progress.step('merge', 2);
  progress.tick('merge');
  progress.lines.write('\n');
  assert.match(text(), /merge █+░+ 1\/2/);
  progress.close();
});

test('closing leaves the cursor visible, may be repeated, and later lines still print', () => {
  const { progress, text } = capture(true);
  progress.step('unfinished', 2);
  progress.close();
  assert.ok(!text().includes('\u001b[?25l'));
  progress.close();
  assert.equal(text(), '');
  progress.lines.write('after\n');
  progress.done('unfinished', 5);
  progress.step('late', 1);
  assert.equal(text(), 'after\nunfinished: 0 of 2 in 5 ms\n');
});

test('a terminal with no step prints lines at once', () => {
  const { progress, text } = capture(true);
  progress.lines.write('first\n');
  assert.match(text(), /first\n/);
  progress.close();
});
