import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EngineError } from '../../../lib/core/errors.ts';
import type { ReadableFile } from '../../../lib/lake/batch/batch-files.ts';
import { isolate, MachineFault, MOST_POISONED, type Trial, type Trials } from '../../../lib/steps/stage/isolate.ts';

const LAYOUT = { kind: 'array', maxRecordBytes: 1, maxFileBytes: 1 } as const;
const NUMBERING = { records: undefined, headerRecords: 0, regular: true, blankIsRow: false, openQuote: undefined };

function fileOf(name: string): ReadableFile {
  return { landed: { key: name, size: 1, etag: name }, path: name, layout: LAYOUT, numbering: NUMBERING };
}

function trialsOf(trial: Trial): Trials {
  return { trial, holds: async () => true, number: async (file) => file };
}

/** By file: how many records it has, which of them are bad, whether it is broken whatever is read of it. */
type Made = { readonly records: number; readonly bad: readonly number[]; readonly broken: boolean };

const made: fc.Arbitrary<Made> = fc
  .record({ records: fc.integer({ min: 0, max: 300 }), broken: fc.integer({ min: 0, max: 5 }) })
  .chain(({ records, broken }) =>
    fc
      .uniqueArray(fc.integer({ min: 0, max: Math.max(0, records - 1) }), { maxLength: Math.min(records, 6) })
      .map((bad) => ({ records, bad: [...bad].sort((a, b) => a - b), broken: broken === 0 })),
  );

function world(files: ReadonlyMap<string, Made>) {
  let trials = 0;
  return {
    trials: () => trials,
    records: new Map([...files].map(([name, { records }]) => [name, records])),
    trial: async (some: readonly ReadableFile[]): Promise<void> => {
      trials += 1;
      for (const { path, range } of some) {
        const file = files.get(path);
        assert.ok(file);
        const { from, to } = range ?? { from: 0, to: file.records };
        if (file.broken) throw new EngineError(`cannot read ${path}`);
        const hit = file.bad.find((nth) => nth >= from && nth < to);
        if (hit !== undefined) throw new EngineError(`cannot take ${path} ${hit}`);
      }
    },
  };
}

test('exactly the broken files and the bad records are found, in few trials', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(made, { minLength: 1, maxLength: 12 }), async (list) => {
      const files = new Map(list.map((one, i) => [`file-${i}`, one]));
      const given = world(files);
      const found = await isolate([...files.keys()].map(fileOf), given.records, trialsOf(given.trial));
      const broken = [...files].filter(([, one]) => one.broken).map(([name]) => name);
      assert.deepEqual([...found.broken.keys()].sort(), broken.sort());
      for (const [name, one] of files) {
        const expected = one.broken ? [] : one.bad;
        const got = found.poisoned.get(name) ?? [];
        assert.deepEqual(
          got.map(({ nth }) => nth),
          expected,
        );
        for (const { nth, reason } of got) assert.equal(reason, `cannot take ${name} ${nth}`);
      }
      const culprits = list.filter((one) => one.broken || one.bad.length > 0).length;
      const bad = list.reduce((sum, one) => sum + one.bad.length, 0);
      assert.ok(given.trials() <= 1 + 2 * culprits * 5 + 4 * culprits + bad * 22, `${given.trials()} trials`);
    }),
  );
});

test('a file with more bad records than are looked for is broken', async () => {
  const bad = Array.from({ length: 1000 }, (_, i) => i * 3);
  const given = world(new Map([['f', { records: 3000, bad, broken: false }]]));
  const found = await isolate([fileOf('f')], given.records, trialsOf(given.trial));
  assert.equal(found.poisoned.size, 0);
  assert.match(found.broken.get('f') ?? '', new RegExp(`more than ${MOST_POISONED} .* record 1: cannot take f 0`));
  assert.ok(given.trials() < MOST_POISONED * 30);
});

test('what fails only together is nobody’s fault', async () => {
  const trial = async (some: readonly ReadableFile[]): Promise<void> => {
    if (some.length > 1) throw new EngineError('out of memory');
  };
  const found = await isolate(['a', 'b', 'c'].map(fileOf), new Map(), trialsOf(trial));
  assert.deepEqual([found.broken.size, found.poisoned.size], [0, 0]);
});

test('nothing is blamed while the machine fails', async () => {
  const given = world(new Map([['f', { records: 3, bad: [1], broken: false }]]));
  await assert.rejects(
    isolate([fileOf('f')], given.records, { ...trialsOf(given.trial), holds: async () => false }),
    MachineFault,
  );
});

test('what failed once and passes again is not blamed', async () => {
  let calls = 0;
  const trial = async (): Promise<void> => {
    calls += 1;
    if (calls <= 2) throw new EngineError('for a moment');
  };
  const found = await isolate([fileOf('f')], new Map([['f', 3]]), trialsOf(trial));
  assert.deepEqual([found.broken.size, found.poisoned.size], [0, 0]);
});
