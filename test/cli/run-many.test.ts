import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RunResult } from '../../lib/core/run.ts';
import { wrongByStandard } from '../report/openlineage-standard.ts';
import { openCliLake } from './lake.ts';

const source = "rows: csv({ columns: { id: 'int', amount: 'int' } })";
const items = "items: { from: 'rows', mode: append(), expect: { positive: 'amount > 0' } }";
const gold = "gold: { sales: { sql: 'sales.sql' } }";

/** retail <- fin, which reads it <- board, which does neither but follows; lone stands alone. */
const lake = openCliLake(
  'retail',
  `{ name: 'retail', schedule: 'rate(1 day)', sources: { ${source} }, silver: { ${items} }, ${gold} }`,
  { 'sales.sql': 'SELECT sum(amount) AS amount FROM silver.items' },
);
lake.add('fin', `{ name: 'fin', after: 'retail', sources: { ${source} }, silver: { ${items} }, ${gold} }`, {
  'sales.sql': 'SELECT amount * 2 AS amount FROM retail.gold.sales',
});
lake.add('board', `{ name: 'board', after: ['fin'], sources: { ${source} }, silver: { ${items} } }`);
lake.add('lone', `{ name: 'lone', sources: { ${source} }, silver: { ${items} } }`);
after(() => lake.close());

type Many = { readonly runs: readonly RunResult[]; readonly left_out: readonly unknown[] };

const statuses = ({ runs }: Many): readonly string[] => runs.map(({ pipeline, status }) => `${pipeline} ${status}`);

before(() => lake.land('retail', 'rows', 'a.csv', 'id,amount\n1,10\n'));

test('pipelines are listed in the order in which they run, with what they read and follow', async () => {
  assert.deepEqual(await lake.json(0, 'pipelines'), [
    { name: 'retail', schedule: 'rate(1 day)', after: [], followed_by: ['fin'], reads: [], read_by: ['fin'] },
    {
      name: 'fin',
      schedule: null,
      after: ['retail'],
      followed_by: ['board'],
      reads: ['retail_gold.sales'],
      read_by: [],
    },
    { name: 'board', schedule: null, after: ['fin'], followed_by: [], reads: [], read_by: [] },
    { name: 'lone', schedule: null, after: [], followed_by: [], reads: [], read_by: [] },
  ]);
  const { stdout } = await lake.run('pipelines');
  assert.match(stdout, /│ retail +│ rate\(1 day\) +│ - +│ - +│ fin +│/);
  assert.match(stdout, /│ fin +│ - +│ retail +│ retail_gold\.sales +│ - +│/);
});

test('--downstream runs what follows, in order, and whatever of it is due when the first has nothing to do', async () => {
  const first = await lake.json<Many>(0, 'run', 'retail', '--downstream', '--run-id', 'june');
  assert.deepEqual(statuses(first), ['retail SUCCEEDED', 'fin SUCCEEDED', 'board NOTHING_TO_DO']);
  assert.deepEqual(first.left_out, []);
  assert.deepEqual([first.runs[0]?.run_id, first.runs[1]?.run_id], ['june', 'june']);
  assert.deepEqual(await lake.json(0, 'query', 'SELECT amount FROM fin_gold.sales'), [{ amount: '20' }]);

  await lake.land('board', 'rows', 'a.csv', 'id,amount\n1,1\n');
  const second = await lake.json<Many>(0, 'run', 'retail', '--downstream');
  assert.deepEqual(statuses(second), ['retail NOTHING_TO_DO', 'fin NOTHING_TO_DO', 'board SUCCEEDED']);
  const { stdout } = await lake.run('run', 'retail', '--downstream');
  for (const name of ['retail', 'fin', 'board']) assert.ok(stdout.includes(`nothing to do for ${name}:`), stdout);
});

test('what follows a run that failed is left out, and named', async () => {
  await lake.land('retail', 'rows', 'bad.csv', 'id,amount\n2,-1\n');
  const { code, stdout, stderr } = await lake.run('run', 'retail', '--downstream', '--json');
  assert.equal(code, 2);
  const document: Many = JSON.parse(stdout);
  assert.deepEqual(statuses(document), ['retail FAILED']);
  assert.deepEqual(document.left_out, [
    { pipeline: 'fin', because: 'retail did not succeed' },
    { pipeline: 'board', because: 'fin did not succeed' },
  ]);
  assert.match(stderr, /fin was not run: retail did not succeed/);

  const all = await lake.json<Many>(2, 'run', '--all');
  assert.deepEqual(statuses(all), ['retail FAILED', 'lone NOTHING_TO_DO']);
});

test('a table is described with those of other pipelines that it is made from and that are made from it', async () => {
  const { lineage } = await lake.json<{ lineage: unknown }>(0, 'describe', 'retail_silver.items');
  assert.deepEqual(lineage, {
    reads: ['bronze/retail/rows'],
    read_by: ['retail_gold.sales'],
    upstream: ['bronze/retail/rows'],
    downstream: ['retail_gold.sales', 'fin_gold.sales'],
  });
  const below = await lake.json<{ lineage: { upstream: unknown } }>(0, 'describe', 'fin_gold.sales');
  assert.deepEqual(below.lineage.upstream, ['retail_gold.sales', 'retail_silver.items', 'bronze/retail/rows']);
});

test('lineage shows columns across pipelines, either side or both', async () => {
  type Steps = { readonly upstream?: readonly { readonly from: string }[]; readonly downstream?: readonly unknown[] };
  const both = await lake.json<Steps>(0, 'lineage', 'fin_gold.sales.amount');
  assert.deepEqual(
    both.upstream?.map(({ from }) => from),
    ['retail_gold.sales.amount', 'retail_silver.items.amount', 'bronze/retail/rows.amount'],
  );
  assert.deepEqual(both.downstream, []);
  assert.deepEqual(Object.keys(await lake.json<Steps>(0, 'lineage', 'retail_gold.sales', '--up')), [
    'name',
    'upstream',
  ]);
  const { stdout } = await lake.run('lineage', 'bronze/retail/rows', '--down');
  assert.equal(
    stdout,
    'bronze/retail/rows\ngoes into\n  retail_silver.items\n    retail_gold.sales\n      fin_gold.sales\n',
  );
});

type Event = {
  readonly eventTime: string;
  readonly eventType: string;
  readonly job: { readonly name: string; readonly namespace: string };
};
const eventsIn = (text: string): readonly Event[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);

test('what runs did is told as OpenLineage events, of the last run or of those that are named', async () => {
  const { stdout } = await lake.run('openlineage', 'fin');
  assert.deepEqual(
    eventsIn(stdout).map(({ eventType, job }) => `${job.name} ${eventType}`),
    [
      'fin START',
      ...['fin.silver.items START', 'fin.silver.items COMPLETE', 'fin.gold.sales START', 'fin.gold.sales COMPLETE'],
      'fin COMPLETE',
    ],
  );
  assert.equal(eventsIn(stdout)[0]?.job.namespace, `file://${lake.root}`);
  const failed = await lake.run('openlineage', 'retail', '--namespace', 'here');
  const end = eventsIn(failed.stdout).at(-1);
  assert.deepEqual([end?.eventType, end?.job], ['FAIL', { ...end?.job, namespace: 'here', name: 'retail' }]);
  const file = join(lake.root, 'events.jsonl');
  for (let times = 0; times < 2; times += 1) {
    assert.deepEqual(await lake.json(0, 'openlineage', 'retail', '--run', 'june', '--to', file), {
      pipeline: 'retail',
      runs: 1,
      events: 6,
      to: file,
    });
  }
  const kept = eventsIn(readFileSync(file, 'utf8'));
  assert.deepEqual(kept.slice(0, 6), kept.slice(6));
  const runs = await lake.json<readonly { readonly finished_at: string | null }[]>(0, 'runs', 'retail');
  const ended = runs.filter(({ finished_at }) => finished_at !== null).length;
  const all = await lake.json<{ readonly runs: number }>(0, 'openlineage', 'retail', '--last', '9', '--to', file);
  assert.equal(all.runs, ended);
  const told = eventsIn((await lake.run('openlineage', 'retail', '--last', '9')).stdout);
  const begun = told.filter(({ eventType, job }) => eventType === 'START' && job.name === 'retail');
  assert.equal(begun.length, ended);
  assert.deepEqual(wrongByStandard([...eventsIn(stdout), ...told]), []);
  const times = begun.map(({ eventTime }) => eventTime);
  assert.deepEqual(times, [...times].sort());
});

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['openlineage', 'retail', '--run', 'juni'], /no run "juni" of retail has ended: .*did you mean "june"\?/],
  [['openlineage', 'retail', '--run', 'june', '--last', '2'], /--run with --last: expected one of them/],
  [['openlineage', 'retail', '--to', 'ftp://x'], /--to ftp:\/\/x: expected a file, http\(s\):/],
  [['run'], /no pipeline: expected the name of one, or --all/],
  [['run', 'retail', '--all'], /--all with a pipeline or --downstream: expected one of them/],
  [['run', '--all', '--select', 'items'], /--all with options of one pipeline: got select;/],
  [
    ['run', 'retail', '--downstream', '--dry-run'],
    /--downstream with --dry-run: what a dry run computes is not there for others/,
  ],
  [
    ['run', 'retail', '--downstream', '--aws'],
    /--downstream and --all with --aws: there pipelines follow by themselves/,
  ],
  [['run', 'retial', '--downstream'], /no pipeline "retial": expected one of board, fin, lone, retail/],
];

for (const [args, message] of WRONG) {
  test(`strata ${args.join(' ')} is wrong use, and does nothing`, async () => {
    const { code, stderr } = await lake.run(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  });
}

test('a pipeline that does not compile is left out by name, with what follows it, and the others run', async () => {
  const torn = openCliLake('retail', `{ name: 'retail', sources: { ${source} }, silver: { ${items} } }`);
  torn.add('fin', `{ name: 'fin', after: 'retail', sources: { ${source} }, silver: { ${items} } }`);
  torn.add('torn', `{ name: 'torn', after: 'retail', sources: {}, ${gold} }`, {
    'sales.sql': 'SELECT nothing FROM retail.silver.items',
  });
  torn.add('later', `{ name: 'later', after: 'torn', sources: { ${source} }, silver: { ${items} } }`);
  try {
    await torn.land('retail', 'rows', 'a.csv', 'id,amount\n1,10\n');
    const asked = [
      [
        ['run', 'retail', '--downstream'],
        ['retail SUCCEEDED', 'fin NOTHING_TO_DO'],
      ],
      [
        ['run', '--all'],
        ['retail NOTHING_TO_DO', 'fin NOTHING_TO_DO'],
      ],
    ] as const;
    for (const [args, expected] of asked) {
      const found = await torn.json<Many>(1, ...args);
      assert.deepEqual(statuses(found), expected);
      assert.match(JSON.stringify(found.left_out), /"pipeline":"later"[^}]*torn[\s\S]*"pipeline":"torn"[^}]*nothing/);
    }
  } finally {
    torn.close();
  }
});
