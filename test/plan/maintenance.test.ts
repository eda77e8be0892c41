import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type Candidate,
  filesAfter,
  isHalfOrdered,
  packUnits,
  planBins,
  type RewriteRules,
} from '../../lib/plan/maintenance.ts';

const RULES: RewriteRules = { targetBytes: 100, minFiles: 3, unitBytes: 100, rearrange: false };

function file(bytes: number, partition = 'p=1', spec = 0, at = 0): Candidate {
  return { path: `${spec}-${partition}-${at}-${bytes}`, foreign: false, spec, partition, rows: bytes, bytes };
}

type Case = { readonly what: string; readonly sizes: readonly number[]; readonly bins: readonly (readonly number[])[] };
const CASES: readonly Case[] = [
  { what: 'few small files are left', sizes: [10, 10], bins: [] },
  { what: 'small files are joined', sizes: [10, 20, 30], bins: [[10, 20, 30]] },
  { what: 'small ones only', sizes: [10, 80, 20, 150, 30], bins: [[10, 20, 30]] },
  {
    what: 'up to the target, in their order',
    sizes: [40, 50, 60, 30],
    bins: [
      [40, 50],
      [60, 30],
    ],
  },
  { what: 'one that fits to no other is left', sizes: [60, 70, 50, 40], bins: [[50, 40]] },
  { what: 'a large file alone', sizes: [181], bins: [[181]] },
  { what: 'not one that is a little too large', sizes: [180], bins: [] },
];

describe('which files are rewritten', () => {
  for (const { what, sizes, bins } of CASES) {
    test(what, () => {
      const files = sizes.map((bytes, at) => file(bytes, 'p=1', 0, at));
      const planned = planBins(files, RULES);
      assert.deepEqual(
        planned.map((bin) => bin.files.map(({ path }) => Number(path.split('-').at(-1)))),
        bins,
      );
    });
  }

  test('partitions and specs are never mixed', () => {
    const files = [1, 2, 3].flatMap((at) => [file(10, 'p=1', 0, at), file(10, 'p=2', 0, at), file(10, 'p=1', 1, at)]);
    assert.deepEqual(
      planBins(files, RULES).map(({ spec, partition, files: own }) => [spec, partition, own.length]),
      [
        [0, 'p=1', 3],
        [0, 'p=2', 3],
        [1, 'p=1', 3],
      ],
    );
  });

  test('files that lie near each other in an order are written anew together', () => {
    const places = [0, 6, 1, 7, 2, 5, 3, 4];
    const files = places.map((place, at) => ({ ...file(100, 'p=1', 0, at), path: `${place}`, place }));
    const bins = planBins(files, { ...RULES, rearrange: true });
    assert.deepEqual(
      bins.map((bin) => bin.files.map(({ path }) => Number(path))),
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ],
    );
  });

  test('groups of an order are of like size, as many as halves give, and know how wide they are', () => {
    // Of three times what a worker takes there are four groups; the first column is in order already.
    const files = Array.from({ length: 12 }, (_, at) => ({
      ...file(100, 'p=1', 0, at),
      place: at,
      spans: [
        { low: at / 12, high: (at + 1) / 12 },
        { low: 0, high: 1 },
      ],
    }));
    const bins = planBins(files, { ...RULES, rearrange: true });
    assert.deepEqual(
      bins.map((bin) => [bin.files.length, ...(bin.widths ?? []).map((width) => Math.round(width * 100))]),
      [3, 3, 3, 3].map((count) => [count, 25, 100]),
    );
  });

  test('an order is laid out again until each file can have its own part of it', () => {
    const cases = [
      [{ groups: 1, files: 9 }, 1, false],
      [{ groups: 2, files: 8 }, 1, true],
      [{ groups: 2, files: 8 }, 2, false],
      [{ groups: 16, files: 64 }, 2, true],
      [{ groups: 16, files: 64 }, 3, false],
      // Nothing is divided where a file comes of each group.
      [{ groups: 5, files: 5 }, 1, false],
    ] as const;
    for (const [written, times, half] of cases) assert.equal(isHalfOrdered(written, times), half);
  });

  test('all files, where rows are ordered anew, in files near the target', () => {
    const bins = planBins(
      [10, 90, 300, 250].map((bytes, at) => file(bytes, 'p=1', 0, at)),
      { ...RULES, rearrange: true },
    );
    assert.deepEqual(
      bins.map(({ reason, files, bytes, file_bytes }) => [reason, files.length, bytes, file_bytes]),
      [
        ['order', 3, 400, 100],
        ['order', 1, 250, 84],
      ],
    );
  });
});

const candidates = fc
  .array(
    fc.record({
      bytes: fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 100, max: 900 })),
      partition: fc.constantFrom('', 'p=1', 'p=2'),
      spec: fc.constantFrom(0, 1),
    }),
    { maxLength: 60 },
  )
  .map((list) => list.map(({ bytes, partition, spec }, at) => file(bytes, partition, spec, at)));
const rules = fc.record({
  targetBytes: fc.integer({ min: 50, max: 200 }),
  minFiles: fc.integer({ min: 1, max: 8 }),
  unitBytes: fc.integer({ min: 1, max: 1_000 }),
  rearrange: fc.boolean(),
});

describe('whatever the files and the rules', () => {
  test('each file is in one bin at most, all of one partition, with a reason that holds', () => {
    fc.assert(
      fc.property(candidates, rules, (files, given) => {
        const byPath = new Map(files.map((one) => [one.path, one]));
        const bins = planBins(files, given);
        const taken = bins.flatMap((bin) => bin.files.map(({ path }) => path));
        assert.equal(new Set(taken).size, taken.length);
        if (given.rearrange) assert.equal(taken.length, files.length);
        for (const bin of bins) {
          const own = bin.files.map(({ path }) => byPath.get(path) ?? assert.fail());
          assert.ok(own.every(({ spec, partition }) => spec === bin.spec && partition === bin.partition));
          assert.equal(
            bin.bytes,
            own.reduce((sum, { bytes }) => sum + bytes, 0),
          );
          if (bin.reason === 'small') {
            assert.ok(own.length > 1 && bin.bytes <= given.targetBytes);
            assert.ok(own.every(({ bytes }) => bytes < given.targetBytes * 0.75));
            assert.equal(filesAfter(bin), 1);
          }
          if (bin.reason === 'large') assert.ok(own.length === 1 && bin.bytes > given.targetBytes * 1.8);
        }
      }),
    );
  });

  test('rewriting until nothing is worth it ends, and each time there are fewer small files', () => {
    fc.assert(
      fc.property(candidates, rules, (given, asked) => {
        const settings = { ...asked, rearrange: false };
        let files: readonly Candidate[] = given;
        for (let round = 0; ; round += 1) {
          const bins = planBins(files, settings).filter(({ reason }) => reason === 'small');
          if (bins.length === 0) return;
          assert.ok(round < given.length);
          const gone = new Set(bins.flatMap((bin) => bin.files.map(({ path }) => path)));
          const made = bins.map((bin, at) => file(bin.bytes, bin.partition, bin.spec, 1_000 * (round + 1) + at));
          const next = [...files.filter(({ path }) => !gone.has(path)), ...made];
          assert.ok(next.length < files.length);
          files = next;
        }
      }),
    );
  });

  test('units hold all bins once, and no more than one worker takes, unless it is one bin', () => {
    fc.assert(
      fc.property(candidates, rules, (files, given) => {
        const bins = planBins(files, given);
        const units = packUnits('silver.x', 0, bins, given);
        assert.deepEqual(
          units.flatMap((unit) => unit.bins),
          bins,
        );
        assert.equal(new Set(units.map(({ unit }) => unit)).size, units.length);
        for (const unit of units) {
          const bytes = unit.bins.reduce((sum, bin) => sum + bin.bytes, 0);
          assert.ok(unit.bins.length === 1 || bytes <= given.unitBytes);
        }
      }),
    );
  });
});
