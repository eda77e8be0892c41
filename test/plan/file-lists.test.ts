import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LandedFile } from '../../lib/core/run.ts';
import type { ModelSpec } from '../../lib/core/spec.ts';
import { listFiles } from '../../lib/plan/file-lists.ts';

const file = (key: string, more: Partial<LandedFile> = {}): LandedFile => ({ key, size: 1, etag: 'e', ...more });
const models = ['a', 'b'].map((name) => ({ id: `silver.${name}`, name, layer: 'silver', from: 's' }) as ModelSpec);
const SPEC = { sources: [{ name: 's' }, { name: 't' }], models };

const CASES: readonly {
  readonly name: string;
  readonly taken: Readonly<Record<string, readonly LandedFile[]>>;
  readonly listed: ReturnType<typeof listFiles>;
}[] = [
  { name: 'nobody takes part', taken: {}, listed: [] },
  {
    name: 'all take the same files, as the source has them',
    taken: { 'silver.a': [file('1', { batch: 0 })], 'silver.b': [file('1', { batch: 0 })] },
    listed: [{ source: 's', files: [file('1', { batch: 0 })] }],
  },
  {
    name: 'each takes its own, and the source has each file once',
    taken: {
      'silver.a': [file('2')],
      'silver.b': [file('2', { batch: 1 }), file('1', { batch: 0 }), file('2', { etag: 'f' })],
    },
    listed: [
      {
        source: 's',
        files: [file('1'), file('2'), file('2', { etag: 'f' })],
        own: new Map([
          ['silver.a', [file('2')]],
          ['silver.b', [file('2', { batch: 1 }), file('1', { batch: 0 }), file('2', { etag: 'f' })]],
        ]),
      },
    ],
  },
  {
    name: 'one is left alone',
    taken: { 'silver.a': [file('1')] },
    listed: [
      {
        source: 's',
        files: [file('1')],
        own: new Map([
          ['silver.a', [file('1')]],
          ['silver.b', undefined],
        ]),
      },
    ],
  },
];

for (const { name, taken, listed } of CASES) {
  test(name, () => assert.deepEqual(listFiles(SPEC, new Map(Object.entries(taken))), listed));
}
