import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../lib/cli/output/log.ts';

function capture(json: boolean) {
  const written: string[] = [];
  return { written, log: createLog({ write: (text) => written.push(text) }, { json }) };
}

test('text lines hold level, event and fields; what is not one word is quoted', () => {
  const { written, log } = capture(false);
  log.info('run_started');
  log.warn('rows_rejected', {
    rows: 3,
    file: 'a "b".csv',
    next: 'x\ny',
    empty: '',
    plain: 'x=1',
    done: true,
    none: null,
  });
  assert.deepEqual(written, [
    'info run_started\n',
    'warn rows_rejected rows=3 file="a \\"b\\".csv" next="x\\ny" empty="" plain="x=1" done=true none=null\n',
  ]);
});

test('JSON lines parse, one object each, and a field cannot replace level or event', () => {
  const { written, log } = capture(true);
  log.warn('rows_rejected', { rows: 3, level: 'x' });
  assert.equal(written.length, 1);
  assert.ok(written[0]?.endsWith('}\n'));
  assert.deepEqual(JSON.parse(written[0] ?? ''), { level: 'warn', event: 'rows_rejected', rows: 3 });
});
