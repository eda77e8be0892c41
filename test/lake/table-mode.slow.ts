import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, identity, replace, scd2, upsert } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

type Mode =
  | ReturnType<typeof append>
  | ReturnType<typeof full>
  | ReturnType<typeof replace>
  | ReturnType<typeof upsert>;

function pipeline(mode: Mode | ReturnType<typeof scd2>): TestPipeline {
  const partitionBy = ['upsert', 'scd2'].includes(mode.kind) ? {} : { partitionBy: [identity('id')] };
  const columns = { id: 'int', q: 'int', v: 'int' } as const;
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { s: csv({ columns }) },
      silver: { s: { from: 's', mode, ...partitionBy } },
    }),
  };
}

const row = append({ dedupe: 'row' });
const byId = append({ dedupe: { key: 'id' } });
const up = (key: string | string[] = 'id', sequence = 'q') => upsert({ key, sequence, buckets: 2 });
const history = (key: string | string[] = 'id', sequence = 'q') => scd2({ key, sequence, buckets: 2 });

/** Refused, with the way out: anew (another name) or rebuild. */
const REFUSED: readonly (readonly [
  string,
  Parameters<typeof pipeline>[0],
  Parameters<typeof pipeline>[0],
  'anew' | 'rebuild',
])[] = [
  ['append to upsert', append(), up(), 'anew'],
  ['append to scd2', append(), history(), 'anew'],
  ['upsert to append', up(), append(), 'anew'],
  ['scd2 to full', history(), full(), 'anew'],
  ['replace to scd2', replace(), history(), 'anew'],
  ['upsert to another key', up(), up(['id', 'v']), 'anew'],
  ['scd2 from a composite key', history(['id', 'v']), history(), 'anew'],
  ['upsert to another single key', up(), up('v'), 'anew'],
  ['dedupe by key to row', byId, row, 'anew'],
  ['dedupe by row to key', row, byId, 'anew'],
  ['dedupe by row to none', row, append(), 'anew'],
  ['none to dedupe by row', append(), row, 'anew'],
  ['full to dedupe by row', full(), row, 'anew'],
  ['upsert to scd2', up(), history(), 'rebuild'],
  ['scd2 to upsert', history(), up(), 'rebuild'],
  ['another sequence', history(), history('id', 'v'), 'rebuild'],
];

const FIRST = 'id,q,v\n1,1,5\n2,1,7\n1,2,6\n';

async function changed(
  before: Parameters<typeof pipeline>[0],
  after: Parameters<typeof pipeline>[0],
): Promise<TestLake> {
  const lake = await openTestLake(pipeline(before));
  await lake.land('s', '1.csv', FIRST);
  const { status, error } = await lake.run();
  assert.equal(status, 'SUCCEEDED', error?.message);
  const spec = compileTest(pipeline(after), lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: () => spec }));
}

describe('a mode that cannot go on with a table is refused before anything runs', () => {
  for (const [name, before, after, way] of REFUSED) {
    test(name, async () => {
      const lake = await changed(before, after);
      try {
        await lake.land('s', '2.csv', 'id,q,v\n3,1,1\n');
        const message =
          way === 'anew'
            ? /p_silver\.s: .*the (mode|key)[\s\S]*strata backfill p makes/
            : /p_silver\.s: got \w+\(.*\) in the pipeline; expected \w+\(.*\), by which.*strata rebuild p_silver\.s makes all rows anew/;
        const { changes } = await planRun(lake.deps, 'p');
        const refused = changes.filter((one) => one.refused);
        assert.deepEqual(
          refused.map(({ table }) => table),
          ['p_silver.s'],
        );
        assert.match(refused[0]?.does ?? '', way === 'anew' ? /strata backfill p/ : /strata rebuild p_silver\.s/);
        const answer = await lake.answer();
        assert.equal(answer.kind, 'ended');
        assert.ok(answer.kind === 'ended' && answer.refused === true);
        assert.match(answer.result.error?.message ?? '', message);
        if (way === 'anew') {
          const forced = await lake.run({ forward_only: true });
          const keyedBefore = ['upsert', 'scd2'].includes(before.kind);
          const keyedAfter = ['upsert', 'scd2'].includes(after.kind);
          if (keyedBefore !== keyedAfter)
            assert.match(forced.error?.message ?? '', /strata backfill p makes these tables anew/);
          return;
        }
        const rebuilt = await lake.run({ rebuild: 'p_silver.s' });
        assert.equal(rebuilt.status, 'SUCCEEDED', rebuilt.error?.message);
        const next = await lake.run();
        assert.equal(next.status, 'SUCCEEDED', next.error?.message);
        const anew = await openTestLake({ ...pipeline(after) });
        try {
          await anew.land('s', '1.csv', FIRST);
          await anew.run();
          await anew.land('s', '2.csv', 'id,q,v\n3,1,1\n');
          await anew.run();
          assert.deepEqual(await lake.rows('p_silver.s'), await anew.rows('p_silver.s'));
        } finally {
          anew.close();
        }
      } finally {
        lake.close();
      }
    });
  }
});

const ALLOWED: readonly (readonly [string, Parameters<typeof pipeline>[0], Parameters<typeof pipeline>[0], number])[] =
  [
    ['append to dedupe by key', append(), byId, 4],
    ['dedupe by key to none', byId, append(), 3],
    ['dedupe by another key', byId, append({ dedupe: { key: ['id', 'q'] } }), 3],
    ['append to full', append(), full(), 1],
    ['dedupe by row to full', row, full(), 1],
    ['append to replace', append(), replace(), 4],
    ['replace to append', replace(), append(), 4],
    ['another tie break', up(), upsert({ key: 'id', sequence: 'q', tieBreak: 'v desc', buckets: 2 }), 3],
  ];

describe('a mode whose rows can stand beside those of before goes on', () => {
  for (const [name, before, after, rows] of ALLOWED) {
    test(name, async () => {
      const lake = await changed(before, after);
      try {
        await lake.land('s', '2.csv', 'id,q,v\n3,1,1\n');
        const { status, error } = await lake.run({ forward_only: true });
        assert.equal(status, 'SUCCEEDED', error?.message);
        assert.equal((await lake.rows('p_silver.s')).length, rows);
      } finally {
        lake.close();
      }
    });
  }
});
