import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CliLake, openCliLake } from './lake.ts';

const HEADER = 'id,currency\n';
let lake: CliLake;

before(async () => {
  lake = openCliLake(
    'bank',
    `{
      name: 'bank',
      owner: 'bank@example.com',
      slo: { freshness: '26h', successRate: 90, p95: '1h' },
      breaker: { rows: 3, window: '1h' },
      sources: {
        payments: csv({ key: 'id', columns: { id: { type: 'int', required: true }, currency: { type: 'string', in: ['EUR'] } } }),
      },
      silver: { payments: { from: 'payments', mode: append() } },
      gold: {},
    }`,
  );
  assert.equal((await lake.run('quarantine', 'list', 'bank')).stdout, 'no row of bank was ever rejected\n');
  await lake.land('bank', 'payments', 'a.csv', `${HEADER}1,EUR\n2,\u001b[31mXXX\nx,EUR\n`);
  await lake.json(0, 'run', 'bank', '--run-id', 'r1');
});
after(() => lake.close());

type List = { total: number; summary: Record<string, unknown>[]; rows: { row_hash: string }[] };

describe('quarantine', () => {
  test('list counts and shows the newest rows, as text and as a document', async () => {
    const { stdout } = await lake.run('quarantine', 'list', 'bank', '--limit', '1');
    assert.match(stdout, /^2 rejected rows of bank; .*\n[\s\S]*│ payments │ DOMAIN_ERROR │ quarantined │ +1 │/);
    assert.match(stdout, /the newest 1:[\s\S]*payments\/a\.csv:3[\s\S]*quarantine show bank [0-9a-f]{12}/);
    const list = await lake.json<List>(0, 'quarantine', 'list', 'bank', '--code', 'TYPE_ERROR');
    assert.deepEqual(
      [list.total, list.summary, list.rows.length],
      [1, [{ source: 'payments', code: 'TYPE_ERROR', status: 'quarantined', rows: 1 }], 1],
    );
    const none = await lake.run('quarantine', 'list', 'bank', '--status', 'condemned');
    assert.equal(none.stdout, 'no row of bank that matches was ever rejected\n');
  });

  test('show says all about a row, and its bytes do not drive the terminal', async () => {
    const { rows } = await lake.json<List>(0, 'quarantine', 'list', 'bank', '--code', 'DOMAIN_ERROR');
    const hash = rows[0]?.row_hash ?? '';
    const { stdout } = await lake.run('quarantine', 'show', 'bank', hash.slice(0, 12));
    assert.match(stdout, new RegExp(`^row ${hash}\nof source payments of bank, business key .*2.*, rejected 1 time`));
    assert.match(stdout, /because:\n {2}DOMAIN_ERROR: .*\n[\s\S]*payments\/a\.csv:3 .* r1 /);
    assert.ok(!stdout.includes('\u001b'));
    const shown = await lake.json<{ arrivals: unknown[] }>(0, 'quarantine', 'show', 'bank', hash);
    assert.equal(shown.arrivals.length, 1);
  });

  test('export prints CSV or JSON', async () => {
    const csv = await lake.run('quarantine', 'export', 'bank', '--format', 'csv', '--file', 'a.csv');
    assert.equal(csv.stdout.split('\r\n').length, 4);
    assert.match(csv.stdout, /^source,source_file,line,raw,codes,/);
    assert.equal((await lake.json<unknown[]>(0, 'quarantine', 'export', 'bank')).length, 2);
  });

  test('release needs a choice, waits for no run, and says how many', async () => {
    const lock = join(lake.root, 'ops/bank/lock.json');
    const expires_at = new Date(Date.now() + 600_000).toISOString();
    writeFileSync(lock, JSON.stringify({ run_id: 'other', holder: 'another-machine', expires_at }));
    const locked = await lake.run('quarantine', 'release', 'bank', '--code', 'DOMAIN_ERROR');
    assert.deepEqual([locked.code, locked.stdout], [3, '']);
    assert.match(locked.stderr, /^LockHeld: run other holds the lock of pipeline bank/);
    rmSync(lock);
    const { code, stdout } = await lake.run('quarantine', 'release', 'bank', '--code', 'DOMAIN_ERROR');
    assert.equal(code, 0);
    assert.match(stdout, /^released 1 row of bank: on record still/);
    assert.deepEqual(await lake.json(0, 'quarantine', 'release', 'bank', '--code', 'DOMAIN_ERROR'), {
      pipeline: 'bank',
      released: 0,
    });
    assert.equal((await lake.json<List>(0, 'quarantine', 'list', 'bank')).total, 2);
  });

  test('list counts what was released beside what is rejected', async () => {
    const all = await lake.run('quarantine', 'list', 'bank');
    assert.match(all.stdout, /^1 rejected row of bank, beside 1 that was released; a row counts/);
    const released = await lake.run('quarantine', 'list', 'bank', '--status', 'released');
    assert.match(released.stdout, /^1 released row of bank; a row counts/);
    assert.equal((await lake.json<{ released: number }>(0, 'quarantine', 'list', 'bank')).released, 1);
  });

  const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a pipeline that is none', ['list', 'bnak'], /no pipeline "bnak": expected one of bank/],
    ['a source that is none', ['list', 'bank', '--source', 'payment'], /did you mean "payments"\?/],
    ['a limit of nothing', ['list', 'bank', '--limit', '0'], /Expected a whole number, 1 or more/],
    [
      'a status that is none',
      ['list', 'bank', '--status', 'x'],
      /Allowed choices are quarantined, condemned, released/,
    ],
    ['no format', ['export', 'bank'], /expected --format csv, --format json or --safe-csv/],
    ['a release of everything', ['release', 'bank'], /expected a source, a code, files or row hashes/],
    ['a hash that is none', ['show', 'bank', 'zz'], /not a row hash: got "zz"/],
  ];
  for (const [name, args, message] of WRONG) {
    test(`${name} exits 1`, async () => {
      const { code, stdout, stderr } = await lake.run('quarantine', ...args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }
});

type Status = { pipeline: string; breached: string[]; breaker: string; quarantine: unknown[]; runs: { n: number } };

test('the breaker halts a pipeline until a person closes it', async () => {
  lake.add('odd', "{ name: 'odd', sources: {}, silver: {}, gold: {} }");
  const beside = await lake.run('status');
  assert.deepEqual([beside.code, /│ bank /.test(beside.stdout), /│ odd /.test(beside.stdout)], [1, true, false]);
  assert.match(beside.stderr, /pipelines\/odd\/pipeline\.ts: sources: got nothing/);
  const sound = await lake.run('status', 'bank');
  assert.equal(sound.code, 0);
  assert.match(
    sound.stdout,
    /^bank \(bank@example\.com\): all that is promised is kept, as far as it is known\n\nlast run {6}r1 succeeded /,
  );
  assert.match(
    sound.stdout,
    /\nquarantine +TYPE_ERROR 1 \(1 in the last day\)\nbehind +no table\nmaintenance +nothing is due\n/,
  );
  assert.match(sound.stdout, /│ p95 +│ unknown │ [^│]+│ <= 1 h 00 min +│ 95 % +│ 100 % /);
  assert.match((await lake.run('breaker', 'status', 'bank')).stdout, /is closed; it opens at more than 3 rows of one/);
  await lake.land('bank', 'payments', 'b.csv', `${HEADER}${[5, 6, 7, 8].map((id) => `${id},YYY`).join('\n')}\n`);
  assert.equal((await lake.run('run', 'bank', '--run-id', 'r2')).code, 2);
  const open = await lake.run('breaker', 'status', 'bank');
  assert.match(
    open.stdout,
    /is open since .*: run r2 met \d rows with DOMAIN_ERROR within 1 h 00 min, and the limit is 3/,
  );
  assert.equal((await lake.json<{ status: string }>(0, 'breaker', 'status', 'bank')).status, 'open');
  const halted = await lake.run('status', 'bank');
  assert.equal(halted.code, 3);
  assert.match(halted.stdout, /^bank .*: breached: successRate, breaker\n/);
  assert.match(halted.stdout, /\nlast run +r2 failed .* after .*: AuditFailed: the circuit breaker opened: /);
  assert.match(halted.stdout, /\nincident +open for .*: 1 run failed; none ended in 30 days\n/);
  assert.match(halted.stdout, /\nbehind +bank_silver\.payments: new files of payments\n/);
  assert.match(halted.stdout, /\nnext:\n.* runs show r2 .*\n.* breaker status bank /);
  const all = await lake.json<Status[]>(3, 'status', '--days', '7');
  assert.deepEqual(
    all.map((one) => [one.pipeline, one.breached, one.breaker, one.runs.n]),
    [['bank', ['successRate', 'breaker'], 'open', 1]],
  );
  assert.match(
    (await lake.run('status')).stdout,
    /│ bank +│ successRate, breaker │ FAILED .* │ open +│ +1 │ +1 │ +0 │/,
  );
  const out = join(lake.root, '..', 'page');
  const written = await lake.json<{ file: string; bytes: number }[]>(0, 'report', '--out', out);
  assert.deepEqual(
    written.map(({ file, bytes }) => [file, bytes === statSync(file).size]),
    ['index.html', 'report.md', 'report.json'].map((name) => [join(out, name), true]),
  );
  const page = readFileSync(join(out, 'index.html'), 'utf8');
  assert.match(page, /^<!doctype html>[\s\S]*<dt>breaker<\/dt><dd class="bad">open<\/dd>/);
  assert.match(readFileSync(join(out, 'report.md'), 'utf8'), /^# Strata\n[\s\S]*- breaker: \*\*open\*\*\n/);
  const index = join(out, 'site', 'index.html');
  type Site = { readonly index: string; readonly pages: number; readonly bytes: number };
  const site = await lake.json<Site>(0, 'docs', '--out', join(out, 'site'), '--days', '3');
  const files = globSync('**/*.html', { cwd: join(out, 'site') }).map((file) => statSync(join(out, 'site', file)).size);
  assert.deepEqual(site, { index, pages: files.length, bytes: files.reduce((sum, size) => sum + size, 0) });
  assert.match(readFileSync(index, 'utf8'), /over 3 days\.[\s\S]*<a href="pipelines\/bank\.html">bank<\/a>/);
  assert.ok(statSync(join(out, 'site', 'pipelines', 'bank.html')).size > 1_000);
  const one = await lake.run('report', 'bank', '--out', out, '--days', '2');
  assert.match(one.stdout, /index\.html \([\d.]+ kB\)\n.*report\.md \([\d.]+ k?B\)\n.*report\.json/);
  const { days } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as { days: number };
  assert.equal(days, 2);
  const half = await lake.run('report', 'bank', '--out', out, '--before', 'r');
  assert.match(half.stderr, /^--before alone: expected --before and --after/);
  assert.deepEqual(
    [half.code, (await lake.run('report', 'bnak', '--out', out)).code, (await lake.run('report')).code],
    [1, 1, 1],
  );
  assert.deepEqual([(await lake.run('status', 'bnak')).code, (await lake.run('status', '--days', '0')).code], [1, 1]);
  assert.match((await lake.run('breaker', 'close', 'bank')).stdout, /^the circuit breaker of bank is closed\n/);
  const closed = { pipeline: 'bank', status: 'closed', was_open: false };
  assert.deepEqual(await lake.json(0, 'breaker', 'close', 'bank'), closed);
  assert.equal((await lake.run('breaker', 'status', 'bnak')).code, 1);
});
