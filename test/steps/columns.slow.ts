import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, identity, replace, scd2, upsert } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const KEYED = { key: 'id', sequence: 'q', buckets: 2 } as const;

const MODES = {
  append: append(),
  'append, dedupe row': append({ dedupe: 'row' }),
  'append, dedupe key': append({ dedupe: { key: ['id', 'q'] } }),
  replace: replace(),
  full: full(),
  upsert: upsert(KEYED),
  scd2: scd2(KEYED),
};
type Mode = keyof typeof MODES;
type Columns = Readonly<Record<string, 'int' | 'bigint' | 'string' | 'double'>>;

function pipeline(mode: Mode, columns: Columns, drift: 'evolve' | 'ignore' = 'ignore'): TestPipeline {
  const partitionBy = mode === 'replace' ? { partitionBy: [identity('id')] } : {};
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { s: csv({ columns, drift }) },
      silver: { s: { from: 's', mode: MODES[mode], ...partitionBy } },
    }),
  };
}

/** The lake with another pipeline of the same name, as after an edit. */
function edited(lake: TestLake, changed: TestPipeline): TestLake {
  const spec = compileTest(changed, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: () => spec }));
}

async function succeed(lake: TestLake, file: string, text: string): Promise<void> {
  await lake.land('s', file, text);
  const { status, error } = await lake.run();
  assert.equal(status, 'SUCCEEDED', error?.message);
}

/** The rows, an empty text for null. */
async function rowsOf(lake: TestLake, columns: readonly string[]): Promise<readonly string[]> {
  const rows = await lake.rows('p_silver.s', `SELECT ${columns.join(', ')} FROM t ORDER BY ALL`);
  return rows.map((row) => columns.map((name) => row[name] ?? '').join(','));
}

const ADD: Readonly<Record<Mode, readonly string[]>> = {
  append: ['1,1,5,', '1,2,6,new', '2,1,7,'],
  'append, dedupe row': ['1,1,5,', '1,2,6,new', '2,1,7,'],
  'append, dedupe key': ['1,1,5,', '1,2,6,new', '2,1,7,'],
  replace: ['1,2,6,new', '2,1,7,'],
  full: ['1,2,6,new'],
  upsert: ['1,2,6,new', '2,1,7,'],
  scd2: ['1,1,5,', '1,2,6,new', '2,1,7,'],
};

const LACK: Readonly<Record<Mode, readonly string[]>> = {
  append: ['1,1,5,', '1,2,6,new', '1,3,8,', '2,1,7,'],
  'append, dedupe row': ['1,1,5,', '1,2,6,new', '1,3,8,', '2,1,7,'],
  'append, dedupe key': ['1,1,5,', '1,2,6,new', '1,3,8,', '2,1,7,'],
  replace: ['1,3,8,', '2,1,7,'],
  full: ['1,3,8,'],
  upsert: ['1,3,8,', '2,1,7,'],
  scd2: ['1,1,5,', '1,2,6,new', '1,3,8,', '2,1,7,'],
};

const FIRST = 'id,q,v\n1,1,5\n2,1,7\n';
const SECOND = 'id,q,v,n\n1,2,6,new\n';
const THIRD = 'id,q,v\n1,3,8\n';
const OLD: Columns = { id: 'int', q: 'int', v: 'int' };
const NEW: Columns = { ...OLD, n: 'string' };

for (const mode of Object.keys(MODES) as Mode[]) {
  const keepsAll = mode !== 'full';

  describe(mode, () => {
    for (const drift of ['ignore', 'evolve'] as const) {
      test(`a column ${drift === 'evolve' ? 'of a file' : 'of the contract'} is new: null in old rows, and in later ones without it`, async () => {
        const lake = await openTestLake(pipeline(mode, OLD, drift));
        try {
          await succeed(lake, '1.csv', FIRST);
          const next = drift === 'evolve' ? lake : edited(lake, pipeline(mode, NEW));
          await succeed(next, '2.csv', SECOND);
          assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v', 'n']), ADD[mode]);
          await succeed(drift === 'evolve' ? lake : edited(lake, pipeline(mode, OLD)), '3.csv', THIRD);
          const columns = ['id', 'q', 'v', ...(keepsAll ? ['n'] : [])];
          const expected = keepsAll ? LACK[mode] : LACK[mode].map((row) => row.slice(0, -1));
          assert.deepEqual(await rowsOf(lake, columns), expected);
        } finally {
          lake.close();
        }
      });
    }

    test('a column that the contract no longer has stays, null in new rows', async () => {
      const lake = await openTestLake(pipeline(mode, NEW));
      try {
        await succeed(lake, '1.csv', 'id,q,v,n\n1,1,5,a\n2,1,7,b\n');
        await succeed(edited(lake, pipeline(mode, OLD)), '2.csv', 'id,q,v\n3,1,9\n');
        const expected = keepsAll ? ['1,1,5,a', '2,1,7,b', '3,1,9,'] : ['3,1,9'];
        assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v', ...(keepsAll ? ['n'] : [])]), expected);
        await succeed(edited(lake, pipeline(mode, NEW)), '3.csv', 'id,q,v,n\n4,1,9,d\n');
        const back = keepsAll ? [...expected, '4,1,9,d'] : ['4,1,9,d'];
        assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v', 'n']), back);
      } finally {
        lake.close();
      }
    });

    test('a wider type and back: values that only the wider one has stay', async () => {
      const lake = await openTestLake(pipeline(mode, OLD));
      try {
        await succeed(lake, '1.csv', FIRST);
        await succeed(edited(lake, pipeline(mode, { ...OLD, v: 'bigint' })), '2.csv', 'id,q,v\n3,1,5000000000\n');
        await succeed(edited(lake, pipeline(mode, OLD)), '3.csv', 'id,q,v\n3,2,1\n');
        const history = mode === 'scd2' || mode.startsWith('append') ? ['3,1,5000000000'] : [];
        assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v']), [
          ...(keepsAll ? ['1,1,5', '2,1,7'] : []),
          ...history,
          '3,2,1',
        ]);
      } finally {
        lake.close();
      }
    });

    test(keepsAll ? 'another type is refused, also by plan, sides named' : 'another type is taken on', async () => {
      const lake = await openTestLake(pipeline(mode, OLD));
      try {
        await succeed(lake, '1.csv', FIRST);
        const next = edited(lake, pipeline(mode, { ...OLD, v: 'string' }));
        await next.land('s', '2.csv', 'id,q,v\n3,1,x\n');
        const message = /v is int in the table and string in the pipeline/;
        if (keepsAll) {
          const { changes } = await planRun(next.deps, 'p');
          assert.ok(changes.some(({ refused, what }) => refused && message.test(what.join(', '))));
          const forced = await next.run({ forward_only: true });
          assert.match(
            forced.error?.message ?? '',
            /v is int in the table and string in the pipeline\nstrata backfill p .*--forward-only cannot be/,
          );
        }
        const { status, error } = await next.run();
        assert.equal(status, keepsAll ? 'FAILED' : 'SUCCEEDED', error?.message);
        if (keepsAll) assert.match(error?.message ?? '', message);
        else assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v']), ['3,1,x']);
      } finally {
        lake.close();
      }
    });
  });
}

test('a rebuild leaves a keyed table the columns of now, and the log all that events had', async () => {
  const lake = await openTestLake(pipeline('scd2', NEW));
  try {
    await succeed(lake, '1.csv', 'id,q,v,n\n1,1,5,a\n1,2,5,b\n');
    const without = edited(lake, pipeline('scd2', OLD));
    await without.run({ rebuild: 'p_silver.s' });
    assert.deepEqual(await lake.rows('p_silver.s', 'SELECT * FROM t'), [
      { id: 1, q: 2, v: 5, valid_from: 1, valid_to: null, is_current: true },
    ]);
    await succeed(without, '2.csv', 'id,q,v\n1,3,6\n');
    const again = edited(lake, pipeline('scd2', NEW));
    await again.run({ rebuild: 'p_silver.s' });
    assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v', 'n', 'valid_to']), ['1,1,5,a,2', '1,2,5,b,3', '1,3,6,,']);
  } finally {
    lake.close();
  }
});

test('a file is reprocessed after its table got a column', async () => {
  const lake = await openTestLake(pipeline('upsert', OLD));
  try {
    await succeed(lake, '1.csv', FIRST);
    const next = edited(lake, pipeline('upsert', NEW));
    await succeed(next, '2.csv', SECOND);
    await lake.land('s', '1.csv', 'id,q,v,n\n1,1,5,old\n2,1,8,late\n');
    const { status, error } = await next.run({ reprocess: { source: 's', files: ['1.csv'] } });
    assert.equal(status, 'SUCCEEDED', error?.message);
    assert.deepEqual(await rowsOf(lake, ['id', 'q', 'v', 'n']), ['1,2,6,new', '2,1,8,late']);
  } finally {
    lake.close();
  }
});
