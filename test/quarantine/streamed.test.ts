import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csv, definePipeline, json } from '../../lib/define/index.ts';
import type { Engine, Log, Session } from '../../lib/ports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const columns = {
  id: { type: 'bigint', required: true },
  amount: { type: 'int', min: 0, max: 100 },
  day: 'date',
  kind: { type: 'string', in: ['a', 'b'] },
  score: 'double',
} as const;
const ROWS = ['1,5,2026-01-01,a,', 'x,-1,2026-01-02,b,', ',7,2026-01-03,a,', '4,8,2026-01-04,c,', '5,9,2026-01-05,b,'];
const FILES = { 'a.csv': ROWS, 'b.csv': [...ROWS.slice(3), '6,7', '8,500,2026-01-06,a,'] };

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns }), lines: json({ columns }) },
    silver: { rows: { from: 'rows' }, lines: { from: 'lines' } },
  }),
};

/** Of rows that stream past, by file and line. */
const REFUSED = [
  'a.csv 3 TYPE_ERROR RANGE_ERROR x',
  'a.csv 4 NULL_VALUE_ERROR',
  'a.csv 5 DOMAIN_ERROR 4',
  'b.csv 2 DOMAIN_ERROR 4',
  'b.csv 4 SCHEMA_ERROR',
  'b.csv 5 RANGE_ERROR 8',
];

for (const [what, score, twice] of [
  ['all columns by which they fail are told, and no other is looked at', '0.5', false],
  ['the same columns are told where they stream past twice, for a -0.0', '-0.0', true],
] as const) {
  test(`of rows that stream past ${what}`, async () => {
    const { deps, ...opened } = await openTestLake(PIPELINE);
    const seconds: string[] = [];
    const warned: string[] = [];
    const lake = opened.reopen(() => ({ ...deps, engine: watched(deps.engine, seconds), log: logTo(warned) }));
    for (const [name, rows] of Object.entries(FILES)) {
      await lake.land('rows', name, `id,amount,day,kind,score\n${rows.join('\n')}\n9,1,,,${score}\n`);
    }
    await lake.land('lines', 'c.json', '{"id":1,"amount":5}\n[1]\n{"id":2,"amount":500}\n{"id":3}\n');
    const { status, error } = await lake.run({ runId: 'one' });
    assert.equal(status, 'SUCCEEDED', error?.message);
    assert.deepEqual(warned, []);
    assert.deepEqual(
      await lake.rows('shop_silver.rows', 'SELECT list(id ORDER BY id) AS ids, min(score::VARCHAR) AS score FROM t'),
      [{ ids: [1, 5, 5, 9, 9], score: score }],
    );
    assert.deepEqual(await refusedOf(lake, 'rows'), REFUSED);
    assert.deepEqual(await refusedOf(lake, 'lines'), ['c.json 2 SCHEMA_ERROR', 'c.json 3 RANGE_ERROR 2']);
    const [lines, rows] = [seconds.find(isOfLines), seconds.find((text) => !isOfLines(text))];
    assert.equal(lines?.includes('amount: got'), true);
    assert.equal(lines?.includes('kind: got'), false);
    assert.equal(rows?.includes('day: got'), twice);
    lake.close();
  });
}

const isOfLines = (text: string): boolean => text.includes('c.json') || text.includes('/lines/');

function watched(engine: Engine, seconds: string[]): Engine {
  return {
    async open(options) {
      const session = await engine.open(options);
      const run: Session['run'] = (statement) => {
        if (statement.name === 'quarantine_failed') {
          // Rows are numbered in it, so that the thread that waits for it has nothing to do.
          assert.equal(statement.serial, true);
          seconds.push(statement.text);
        }
        return session.run(statement);
      };
      return { ...session, run };
    },
  };
}

function logTo(warned: string[]): Log {
  return { info: () => {}, warn: (event) => void warned.push(event) };
}

async function refusedOf(lake: Pick<TestLake, 'rows'>, source: string): Promise<readonly unknown[]> {
  const said = `concat_ws(' ', split_part(source_file, '/', -1), line, array_to_string(codes, ' '), TRY(raw ->> 'id'))`;
  const rows = await lake.rows(
    'shop_ops.quarantine',
    `SELECT ${said} AS said FROM t WHERE source = '${source}' ORDER BY ALL`,
  );
  return rows.map((row) => row['said']);
}
