import assert from 'node:assert/strict';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { thisProcess } from '../../lib/adapters/store/holder.ts';
import type { PipelineDiff } from '../../lib/query/diff/diff-pipeline.ts';
import type { TableDiff } from '../../lib/query/diff/diff-tables.ts';
import { type Ended, strata, strataHere, strataIntoHead } from './child.ts';
import { staticImports } from './static-imports.ts';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'strata-cli-'));
after(() => rmSync(folder, { recursive: true }));

writePipeline(
  'shop',
  `{
    name: 'shop',
    sources: { orders: csv({ columns: { id: { type: 'bigint', required: true }, kind: 'string', amount: 'decimal(10,2)' } }) },
    silver: { orders: { from: 'orders', mode: append({ dedupe: { key: ['id'] } }), expect: { small: { condition: 'amount < 1000', policy: 'fail' } } } },
    gold: { totals: { sql: 'totals.sql' } },
  }`,
);
writeFileSync(
  join(folder, 'pipelines/shop/totals.sql'),
  'SELECT kind, sum(amount) AS amount FROM silver.orders GROUP BY kind',
);
writePipeline(
  'broken',
  `{
    name: 'broken',
    sources: { orders: csv({ columns: { id: 'bigitn' } }) },
    silver: { orders: { from: 'order', mode: append() } },
    gold: {},
  }`,
);
const HEADER = 'id,kind,amount\n';
writeFileSync(join(folder, 'a.csv'), `${HEADER}1,x,1.10\n2,y,2.20\n2,y,2.20\nbad,y,1\n`);
writeFileSync(join(folder, 'b.csv'), `${HEADER}3,x,3.30\n`);
writeFileSync(join(folder, 'huge.csv'), `${HEADER}4,x,5000\n`);
writeFileSync(join(folder, 'empty.csv'), '');

function writePipeline(name: string, definition: string): void {
  mkdirSync(join(folder, 'pipelines', name), { recursive: true });
  const source = `import { append, csv, definePipeline } from ${JSON.stringify(join(REPO, 'lib/define/index.ts'))};\nexport default definePipeline(${definition});\n`;
  writeFileSync(join(folder, 'pipelines', name, 'pipeline.ts'), source);
}

const LAKE = ['--root', join(folder, '.strata'), '--pipelines', join(folder, 'pipelines')];

/** In this process, on the test's own lake. */
function run(...args: readonly string[]): Promise<Ended> {
  return strataHere([...args, ...LAKE]);
}

function path(name: string): string {
  return join(folder, name);
}

/** As a process of its own, where the lake has its default place. */
function runChild(...args: readonly string[]): Promise<Ended> {
  return strata(args, folder);
}

/** What a command prints with --json, which must be all that it prints. */
async function json<T>(code: number, ended: Promise<Ended>): Promise<T> {
  const { stdout, stderr, ...rest } = await ended;
  assert.equal(rest.code, code, stderr);
  return JSON.parse(stdout) as T;
}

/** Every file below a folder with size and time, and its content. */
function contents(root: string): readonly string[] {
  return globSync('**/*', { cwd: root, exclude: [] })
    .filter((path) => statSync(join(root, path)).isFile())
    .map((path) => `${path} ${statSync(join(root, path)).mtimeMs} ${readFileSync(join(root, path), 'base64')}`)
    .sort();
}

describe('help and wrong use', () => {
  test('help loads neither the engine nor the runtime', async () => {
    const { code, stdout } = await runChild('--help');
    assert.equal(code, 0);
    for (const command of [
      'demo',
      'generate',
      'land',
      'plan',
      'run',
      'query',
      'tables',
      'history',
      'describe',
      'runs',
      'rebuild',
      'reprocess',
      'key',
      'trace',
      'quarantine',
      'breaker',
    ]) {
      assert.match(stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
    }
    const loaded = [...staticImports(join(REPO, 'lib/cli/main.ts'))];
    assert.ok(loaded.some((file) => file.endsWith('lib/cli/program.ts')));
    assert.deepEqual(
      loaded.filter((file) => /@duckdb|@aws-sdk|lib\/(runtime|engine|query|steps|sql)\//.test(file)),
      [],
    );
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['rnu', 'shop'], /unknown command 'rnu'\n\(Did you mean run\?\)/],
    ['an unknown option', ['run', 'shop', '--rot', 'x'], /unknown option '--rot'\n\(Did you mean --root\?\)/],
    ['a missing argument', ['land', 'shop', 'orders'], /missing required argument 'file'/],
    ['a run id that is none', ['run', 'shop', '--run-id', 'a b'], /^not a run id: got "a b"; expected/m],
    ['a format that is none', ['query', 'SELECT 1', '--format', 'xml'], /Allowed choices are table, csv, json/],
    ['an unknown pipeline', ['plan', 'shpo'], /no pipeline "shpo": expected one of broken, shop/],
    [
      'numbers that are none',
      ['generate', 'retail', '--out', 'gen', '--files', 'x'],
      /generate retail: files: got "x"/,
    ],
  ];
  for (const [name, args, message] of WRONG) {
    test(`${name} exits 1 and leaves stdout empty`, async () => {
      const { code, stdout, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  test('wrong use under --json is a document too', async () => {
    const usage = await json<{ error: { message: string } }>(1, run('rnu', '--json'));
    assert.match(usage.error.message, /^unknown command 'rnu'/);
    const invalid = await json<{ error: { name: string; problems: { place: string }[] } }>(
      1,
      run('compile', 'broken', '--json'),
    );
    assert.equal(invalid.error.name, 'InvalidInput');
    assert.equal(invalid.error.problems.length, 2);
  });
});

type RunDocument = {
  run_id: string;
  status: string;
  accounting: Record<string, Record<string, number>>;
  tables: Record<string, { rows_added: number; files_added: number; snapshot_id: string | null }>;
  rejected_files: unknown[];
  error: { name: string } | null;
  message?: string;
};

describe('a lake from nothing', () => {
  const root = join(folder, '.strata');

  test('looking makes nothing', async () => {
    assert.match((await run('plan', 'shop')).stdout, /would do nothing/);
    assert.deepEqual(await json(0, run('tables', '--json')), []);
    const refused = await run('land', 'shop', 'orders', path('a.csv'), 'nowhere.csv', path('none'));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nowhere\.csv: file: got nothing[\s\S]*none: file: got nothing/);
    assert.equal(statSync(root, { throwIfNoEntry: false }), undefined);
  });

  test('land, plan without a trace, run', async () => {
    const landed = await json<{ files: { status: string }[] }>(
      0,
      run('land', 'shop', 'orders', path('a.csv'), path('empty.csv'), '--json'),
    );
    assert.deepEqual(
      landed.files.map((file) => file.status),
      ['landed', 'landed'],
    );
    const before = contents(root);
    const plan = await json<{ status: string; sources: { files: number }[] }>(0, run('plan', 'shop', '--json'));
    assert.deepEqual([plan.status, plan.sources[0]?.files], ['WORK', 2]);
    assert.deepEqual(contents(root), before);

    const result = await json<RunDocument>(0, runChild('run', 'shop', '--run-id', 'first', '--json'));
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(result.accounting, {
      orders: { read: 4, accepted: 2, quarantined: 1, condemned: 0, duplicates: 1 },
    });
    assert.equal(result.tables['shop_silver.orders']?.rows_added, 2);
    assert.match(result.tables['shop_gold.totals']?.snapshot_id ?? '', /^\d+$/);
    assert.equal(result.rejected_files.length, 1);
  });

  test('again: nothing to do, or the first result', async () => {
    const again = await run('run', 'shop');
    assert.deepEqual(
      [again.code, again.stdout],
      [0, 'nothing to do for shop: no new files in bronze/shop/, and no gold table is out of date\n'],
    );
    // The rejected file is taken again when it is asked for.
    const retried = await run('files', 'retry', 'shop');
    assert.deepEqual(
      [retried.code, retried.stdout.replace(/ --root.*\n/, '\n')],
      [
        0,
        'no file of shop is suspended, and nothing else is to do; rejected ones are taken again when they are asked for: ' +
          'npm run strata -- files retry shop --status rejected\n',
      ],
    );
    assert.equal((await json<RunDocument>(0, run('run', 'shop', '--run-id', 'x1', '--json'))).status, 'NOTHING_TO_DO');
    const same = await run('run', 'shop', '--run-id', 'first');
    assert.equal(same.code, 0);
    assert.match(
      same.stdout,
      /^run first of shop has ended before; .*[\s\S]*empty\.csv[\s\S]*1 row in shop_ops\.quarantine/,
    );
  });

  test('a lock that another process holds ends with 3, at once or after --wait', async () => {
    await run('land', 'shop', 'orders', path('b.csv'));
    const lock = join(root, 'ops/shop/lock.json');
    const expires_at = new Date(Date.now() + 600_000).toISOString();
    writeFileSync(lock, JSON.stringify({ run_id: 'other', holder: thisProcess(), expires_at }));
    const text = await runChild('run', 'shop');
    assert.deepEqual([text.code, text.stdout], [3, '']);
    assert.match(text.stderr, /^run other holds the lock of pipeline shop.*--wait\n$/m);
    const document = await json<RunDocument>(3, runChild('run', 'shop', '--json', '--wait', '0'));
    assert.equal(document.status, 'LOCKED');
    const remote = await run('run', 'shop', '--aws', '--wait');
    assert.deepEqual([remote.code, remote.stdout], [1, '']);
    assert.match(remote.stderr, /an execution waits for its turn by itself/);
    rmSync(lock);
  });

  test('a dry run publishes nothing, the run after it does', async () => {
    const dry = await run('run', 'shop', '--dry-run');
    assert.match(dry.stdout, /^dry run .* published nothing[\s\S]*gold\.totals, the first rows:/);
    const count = 'SELECT count(*) AS n FROM shop_silver.orders';
    assert.deepEqual(await json(0, run('query', count, '--json')), [{ n: 2 }]);
    assert.equal((await json<RunDocument>(0, run('run', 'shop', '--run-id', 'second', '--json'))).status, 'SUCCEEDED');
    assert.deepEqual(await json(0, run('query', count, '--json')), [{ n: 3 }]);
    assert.deepEqual(await json(0, run('query', count, '--as-of', 'first', '--json')), [{ n: 2 }]);
  });

  test('diff ends with 3 where rows differ, and with 0 where they do not', async () => {
    const orders = ['diff', 'shop_silver.orders', '--from', 'first'];
    const found = await json<TableDiff>(3, run(...orders, '--to', 'second', '--json'));
    assert.deepEqual(found.rows, { from: 2, to: 3, shared: 2, added: 1, removed: 0, changed: 0 });
    assert.deepEqual(found.sample.added, [{ row: { id: 3, kind: 'x', amount: '3.30' }, times: 1 }]);
    const text = await run(...orders);
    assert.equal(text.code, 3);
    assert.match(
      text.stdout,
      /\nfiles +read 0 and 1 file, not the 1 that both have\nby +the key id\nrows +1 added, 0 removed, 0 changed\n/,
    );
    assert.match(text.stdout, /│ amount │ +0 │ +NULL │ +3\.30 │ +3\.30 │\n/);
    const same = await run(...orders, '--to', 'first');
    assert.deepEqual([same.code, /\nrows +the same\n$/.test(same.stdout)], [0, true]);
    const totals = ['diff', 'shop_gold.totals', '--from', 'first', '--key', 'kind', '--sample', '0'];
    const within = await json<TableDiff>(0, run(...totals, '--tolerance', 'amount=3.3', '--json'));
    assert.deepEqual([within.equal, within.values[1]?.tolerance, within.values[1]?.sum?.delta], [true, '3.30', '3.30']);
    assert.equal((await run(...totals, '--tolerance', 'amount=3.29')).code, 3);
    const wrong = await run(...totals, '--tolerance', 'amount');
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /^--tolerance: got "amount"; expected a column and an amount/);
  });

  test('diff of a pipeline has a line for each table', async () => {
    const shop = ['diff', '--pipeline', 'shop', '--from', 'first'];
    const { code, stdout } = await run(...shop, '--to', 'second');
    assert.equal(code, 3);
    assert.match(stdout, /^shop from first to second: 2 of 2 tables differ\n/);
    assert.match(
      stdout,
      /\n│ shop_silver\.orders │ +2 │ +3 │ +1 │ +0 │ +0 │\n│ shop_gold\.totals +│ +2 │ +2 │ +1 │ +1 │ +NULL │\n/,
    );
    assert.match(stdout, /\nrows of one: .* diff shop_silver\.orders --from \d+ --to \d+ /);
    const found = await json<PipelineDiff>(0, run(...shop, '--to', 'first', '--json'));
    assert.deepEqual(
      found.tables.map(({ rows, files }) => [rows.shared, files.shared]),
      [
        [2, 1],
        [2, 1],
      ],
    );
    assert.match((await run(...shop, '--to', 'first')).stdout, /^shop from first to first: 2 tables, all the same\n/);
    const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
      [['shop_silver.orders', ...shop.slice(1), '--key', 'id'], /got table and key as well, which are about one table/],
      [['--pipeline', 'shop'], /--pipeline: got one moment; expected --from/],
      [['shop_silver.orders'], /got one table at one moment; expected --from, another table, or --other/],
      [[], /got no table; expected a table by full name, or --pipeline/],
      [['shop_silver.orders', '--from', 'first', '--sample', '1001'], /Expected a whole number from 0 to 1000/],
    ];
    for (const [args, message] of WRONG) {
      const ended = await run('diff', ...args);
      assert.deepEqual([ended.code, ended.stdout], [1, ''], args.join(' '));
      assert.match(ended.stderr, message);
    }
  });

  test('diff compares with another lake', async () => {
    cpSync(root, path('backup'), { recursive: true });
    const args = ['diff', 'shop_silver.orders', '--other', path('backup')];
    const found = await json<TableDiff>(3, run(...args, '--to', 'first', '--no-key', '--ignore', 'kind', '--json'));
    assert.deepEqual(found.rows, { from: 3, to: 2, shared: 0, added: 0, removed: 1, changed: null });
    assert.deepEqual([found.key, found.columns.ignored], [null, ['kind']]);
    assert.match((await run(...args)).stdout, /\nfiles +read 2 and 2 files\nby +the key id\nrows +the same\n$/);
    rmSync(path('backup'), { recursive: true });
  });

  test('a run that fails exits 2 and says why', async () => {
    await run('land', 'shop', 'orders', path('huge.csv'));
    const ended = await runChild('run', 'shop', '--json', '--run-id', 'bad');
    assert.equal(ended.code, 2);
    const { status, error } = JSON.parse(ended.stdout) as RunDocument;
    assert.deepEqual([status, error?.name], ['FAILED', 'AuditFailed']);
    assert.match(ended.stderr, /run bad of shop failed, and published nothing\nAuditFailed: .*small/);
    rmSync(join(root, 'bronze/shop/orders/huge.csv'));
  });

  test('query prints CSV, JSON and tables', async () => {
    const sql = 'FROM shop_gold.totals ORDER BY kind';
    assert.equal((await run('query', sql, '--format', 'csv')).stdout, 'kind,amount\r\nx,4.40\r\ny,2.20\r\n');
    assert.deepEqual(await json(0, run('query', sql, '--json')), [
      { kind: 'x', amount: '4.40' },
      { kind: 'y', amount: '2.20' },
    ]);
    assert.match((await run('query', sql)).stdout, /│ x {4}│ {3}4\.40 │/);
    assert.equal((await run('query', `${sql} LIMIT 0`, '--format', 'json')).stdout, '[]\n');
    const wrong = await run('query', 'FROM totals');
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /did you mean shop_gold\.totals\?/);
  });

  test('a reader that has seen enough is no error', async () => {
    const { code, stderr } = await strataIntoHead(['query', 'FROM range(400000)', '--format', 'csv'], folder);
    assert.deepEqual([code, stderr], [0, '']);
  });

  test('models are listed as a table, as CSV and as JSON', async () => {
    type Entry = { model: string; runs: number; few: boolean; last_run: { run_id: string; status: string } };
    // Of a folder with a pipeline that does not compile, which hides no other.
    const entries = await json<Entry[]>(1, run('models', '--json'));
    assert.deepEqual(
      entries.map(({ model, runs, few, last_run }) => [model, runs, few, last_run.run_id, last_run.status]),
      // The run that failed was stopped by the check of its silver table.
      [
        ['shop_silver.orders', 2, true, 'bad', 'FAILED'],
        ['shop_gold.totals', 2, true, 'second', 'SUCCEEDED'],
      ],
    );
    const { stdout: table } = await run('models', 'shop');
    assert.match(table, /│ shop_gold\.totals .*│ SUCCEEDED [^│]*│ [^│]* \(of 2\) +│/);
    const [head, first] = (await run('models', 'shop', '--format', 'csv')).stdout.split('\r\n');
    assert.match(head ?? '', /^model,owner,tier,description,inputs,outputs,schedule,last_run,/);
    assert.match(first ?? '', /^shop_silver\.orders,.*,bronze\/shop\/orders,shop_silver\.orders,,bad,/);
  });

  test('a source is diagnosed by either of its names, and recorded unless that is not wanted', async () => {
    type Found = { name: string; rows: number; findings: { topic: string }[] };
    const before = contents(root);
    const found = await json<Found>(0, run('diagnose', 'bronze/shop/orders/', '--json', '--no-record'));
    assert.deepEqual([found.name, found.rows > 0, found.findings.length], ['shop.orders', true, 7]);
    assert.deepEqual(contents(root), before);
    assert.match((await run('diagnose', 'shop_silver.orders')).stdout, /^shop_silver\.orders: 3 rows in \d files?/);
    const book = 'SELECT DISTINCT name FROM shop_ops.diagnostics';
    assert.deepEqual(await json(0, run('query', book, '--json')), [{ name: 'shop_silver.orders' }]);
    const wrong = await run('diagnose', 'shop.order');
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /pipeline shop has no source "order": .*did you mean "orders"\?/);
  });

  test('a profile is a part of the document of a run, and of one run on this machine', async () => {
    type Profiled = { status: string; profile: { statements: { name: string }[] }[] };
    const { status, profile } = await json<Profiled>(0, run('run', 'shop', '--profile', '--json'));
    assert.equal(status, 'NOTHING_TO_DO');
    assert.ok(profile.some(({ statements }) => statements.length > 0));
    const many = await run('run', '--all', '--profile');
    assert.deepEqual([many.code, many.stdout], [1, '']);
    assert.match(many.stderr, /--profile with --aws, --downstream or --all/);
  });

  test('what is there can be looked at', async () => {
    const tables = await json<{ name: string }[]>(0, run('tables', '--json'));
    assert.ok(tables.some((table) => table.name === 'shop_gold.totals'));
    const history = await json<{ run_id: string }[]>(0, run('history', 'shop_silver.orders', '--json'));
    assert.deepEqual(
      history.map((entry) => entry.run_id),
      ['second', 'first'],
    );
    const { lineage } = await json<{ lineage: { read_by: string[] } }>(
      0,
      run('describe', 'shop_silver.orders', '--json'),
    );
    assert.deepEqual(lineage.read_by, ['shop_gold.totals']);
    const runs = await json<{ run_id: string; status: string }[]>(0, run('runs', 'shop', '--json'));
    assert.deepEqual(
      runs.map(({ run_id, status }) => `${run_id} ${status}`),
      ['bad FAILED', 'second SUCCEEDED', 'first SUCCEEDED'],
    );
    assert.equal((await json<{ specVersion: number }>(0, run('compile', 'shop', '--json'))).specVersion, 1);
  });
});

const RETAIL = ['--pipelines', join(REPO, 'pipelines')];

test('who generates hr is told what serves it', async () => {
  const { stdout } = await strataHere(['generate', 'hr', '--out', path('hr'), '--employees', '2', '--messages', '2']);
  assert.match(stdout, /run hr\n\nnothing is served outside the lake; with the URL of a PostgreSQL in HR_POSTGRES,/);
});

test('generated files land, and locations follow --location-base', async () => {
  const out = path('gen');
  const lake = [...RETAIL, '--root', path('served'), '--json'];
  const sizes = ['--transactions', '50', '--files', '1', '--customers', '3'];
  const generated = strataHere(['generate', 'retail', '--out', out, ...sizes, '--json']);
  assert.equal((await json<{ files: unknown[] }>(0, generated)).files.length, 3);
  const base = ['--location-base', 'http://localhost:1234/lake/'];
  await json(0, strataHere(['land', 'retail', 'customers', join(out, 'customers/customers.csv'), ...lake, ...base]));
  assert.equal((await json<RunDocument>(0, strataHere(['run', 'retail', ...lake]))).status, 'SUCCEEDED');
  const tables = await json<{ metadata_location: string }[]>(0, strataHere(['tables', ...lake]));
  assert.ok(tables.every((table) => table.metadata_location.startsWith('http://localhost:1234/lake/')));
  const other = await strataHere(['tables', ...lake, '--location-base', 'http://elsewhere']);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /strata.* relocate --location-base/);
  const elsewhere = ['--location-base', 'http://elsewhere/lake'];
  type Relocation = { readonly relocated: readonly { readonly location: string }[]; readonly unchanged: number };
  const shown = await json<Relocation>(0, strataHere(['relocate', '--dry-run', ...lake, ...elsewhere]));
  assert.ok(
    (await json<typeof tables>(0, strataHere(['tables', ...lake])))[0]?.metadata_location.startsWith(base[1] ?? ''),
  );
  const done = await json<Relocation>(0, strataHere(['relocate', ...lake, ...elsewhere]));
  assert.deepEqual(done, { ...shown, dry_run: false });
  assert.equal(done.relocated.length, tables.length);
  assert.ok(done.relocated.every(({ location }) => location.startsWith('http://elsewhere/lake/')));
  const again = await strataHere(['relocate', ...lake.slice(0, -1)]);
  assert.equal(again.stdout, `${tables.length} tables with nothing to rewrite\n`);
});

test('the demo shows gold, also the second time', async () => {
  const options = ['demo', '--root', path('demo'), ...RETAIL];
  type Demo = { readonly run: RunDocument; readonly tables: Readonly<Record<string, readonly unknown[]>> };
  const first = await json<Demo>(0, strata([...options, '--json'], folder));
  assert.equal(first.run.status, 'SUCCEEDED');
  assert.equal(first.tables['retail_gold.monthly_revenue']?.length, 10);
  const second = await strataHere(options);
  assert.equal(second.code, 0);
  assert.match(
    second.stdout,
    /^nothing to do for retail[\s\S]*retail_gold\.monthly_revenue \(the first 10 of[\s\S]*try next:/,
  );
});
