import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createParquetAuditLog } from '../../lib/adapters/audit/parquet.ts';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { RELEASE } from '../../lib/core/release.ts';
import { type Ended, strataHere } from './child.ts';
import { type DeployedFolder, deployFolder, LOCATION_BASE } from './deployed-folder.ts';
import { type CliLake, openCliLake } from './lake.ts';

const TABLE = 'bank_silver.accounts';

let lake: CliLake;
let aws: DeployedFolder;

before(async () => {
  lake = openCliLake(
    'bank',
    `{
      name: 'bank',
      breaker: { rows: 1, window: '1h' },
      sources: {
        accounts: csv({ key: 'id', columns: { id: { type: 'int', required: true }, at: 'int', currency: { type: 'string', in: ['EUR'] } } }),
      },
      silver: { accounts: { from: 'accounts', mode: upsert({ key: 'id', sequence: 'at' }) } },
      gold: { totals: { sql: { current: 'totals.sql', candidate: 'counted.sql' } } },
    }`,
    {
      'totals.sql': 'SELECT currency, count(*) AS n FROM silver.accounts GROUP BY currency',
      'counted.sql': 'SELECT currency, count(id) AS n FROM silver.accounts GROUP BY currency',
    },
  );
  const base = ['--location-base', LOCATION_BASE];
  await lake.land('bank', 'accounts', 'a.csv', 'id,at,currency\n1,10,EUR\n2,10,XXX\n');
  await lake.json(0, 'run', 'bank', '--run-id', 'r1', '--shadow', '--profile', ...base);
  await lake.land('bank', 'accounts', 'b.csv', 'id,at,currency\n3,1,XXX\n4,1,XXY\n5,1,XXX\n6,2,XXX\n');
  await lake.json(2, 'run', 'bank', '--run-id', 'r2');
  aws = deployFolder(lake.root, 'strata-lake');
});
after(() => {
  aws.close();
  lake.close();
});

const LOOKS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['tables', ['tables']],
  ['runs, failed ones too', ['runs']],
  ['runs of a pipeline as a document', ['runs', 'bank', '--json']],
  ['one run', ['runs', 'show', 'r1']],
  ['a limited history', ['history', TABLE, '--limit', '1']],
  ['describe', ['describe', TABLE]],
  ['key', ['key', TABLE, '1']],
  ['diff', ['diff', TABLE, `${TABLE}__log`, '--key', 'id,at']],
  ['trace', ['trace', TABLE, '--where', 'id = 1']],
  ['quarantine list', ['quarantine', 'list', 'bank']],
  ['quarantine export', ['quarantine', 'export', 'bank', '--format', 'csv']],
  ['breaker status', ['breaker', 'status', 'bank']],
  ['files list', ['files', 'list', 'bank']],
  ['exports list', ['exports', 'list', 'bank']],
  ['lineage', ['lineage', `${TABLE}.currency`]],
  ['parity', ['parity', 'bank_gold.totals', '--json']],
  ['a table of several texts', ['describe', 'bank_gold.totals']],
  ['plan', ['plan', 'bank']],
  ['cost', ['cost']],
  ['cost of a pipeline as a document', ['cost', 'bank', '--json']],
  ['check', ['check', 'bank']],
  ['status of a pipeline', ['status', 'bank']],
  ['an unknown table', ['history', 'bank_silver.account']],
  ['an unknown pipeline', ['runs', 'bnk']],
  ['a row that is not there', ['quarantine', 'show', 'bank', 'abcd']],
];

/** Hints name the lake that they are about. */
function withoutPlace({ code, stdout, stderr }: Ended): Ended {
  const plain = (text: string): string =>
    text
      .replaceAll(/ --root \S+/g, '')
      .replaceAll(/ --(aws|athena)\b/g, '')
      .replaceAll(/\d+(\.\d+)? m?s ago/g, 'TIME ago')
      .replaceAll(/open for \d+(\.\d+)? m?s/g, 'open for TIME');
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

describe('a deployed lake is looked at as one in a folder', () => {
  for (const [name, args] of LOOKS) {
    test(name, async () => {
      const here = await lake.run(...args);
      aws.asked();
      const there = await lake.run(...args, '--aws');
      assert.deepEqual(withoutPlace(there), withoutPlace(here));
      assert.deepEqual(aws.refused, []);
      const asked = aws.asked();
      assert.deepEqual(
        // Which pipelines there are, say the folders of ops.
        asked.filter((key) => key !== 'ops/' && !/^(bronze|silver|gold|ops)\/(bank|bnk)\//.test(key)),
        [],
      );
      assert.equal(
        asked.some((key) => key.startsWith('bronze/')),
        ['trace', 'plan', 'status'].includes(args[0] ?? ''),
      );
    });
  }

  test('cost tells estimate and record of the runs that are known', async () => {
    const { stdout } = await lake.run('cost', 'bank', '--aws');
    assert.match(
      stdout,
      /^bank in \d{4}-\d\d: 1 run on AWS cost about \$0\.\d+, estimated \$0\.\d+, without 1 failed:\n/,
    );
    assert.match(stdout, /│ state transitions +│ transitions +│ +\d+ +│ +\d+ +│ +0\.\d{6} │ +0\.\d{6} │?\n/);
    assert.match(stdout, /\nbeside its runs it costs about \$0\.\d+ a month\n/);
    const none = await lake.run('cost', '--month', '1999-01');
    assert.deepEqual([none.code, none.stdout.endsWith(' in 1999-01\n')], [0, true]);
    const wrong = await lake.run('cost', 'bank', '--month', 'May');
    assert.deepEqual([wrong.code, wrong.stderr], [1, 'not a month: got "May"; expected one such as 2026-11\n']);
  });

  test('a report is of the deployed lake', async () => {
    const out = join(lake.root, '..', 'page');
    assert.equal((await lake.run('report', 'bank', '--out', out, '--aws')).code, 0);
    const { pipelines } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as {
      pipelines: {
        status: { breached: string[] };
        nodes: { name: string }[];
        models: { model: string }[];
        profile: { run_id: string };
      }[];
    };
    const bank = pipelines[0] ?? assert.fail();
    assert.deepEqual([bank.status.breached, bank.profile.run_id], [['breaker'], 'r1']);
    assert.deepEqual(
      bank.nodes.map(({ name }) => name),
      ['bank.accounts', TABLE, 'bank_gold.totals'],
    );
    assert.deepEqual(
      bank.models.map(({ model }) => model),
      ['silver.accounts', 'gold.totals'],
    );
    assert.deepEqual(aws.refused, []);
    // What the latest run has left is taken, unless it is asked for anew.
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as object;
    const left = { release: RELEASE, report: { ...report, at: '2026-01-02T00:00:00.000Z' } };
    mkdirSync(join(lake.root, 'ops', 'bank', '_page'), { recursive: true });
    writeFileSync(join(lake.root, 'ops', 'bank', '_page', 'report.json'), JSON.stringify(left));
    const atOf = async (...args: readonly string[]): Promise<string> => {
      assert.equal((await lake.run('report', ...args, '--out', out)).code, 0);
      return (JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as { readonly at: string }).at;
    };
    assert.equal(await atOf('--aws'), left.report.at);
    for (const other of [['--aws', '--fresh'], ['--aws', '--days', '3'], []])
      assert.notEqual(await atOf(...other), left.report.at, other.join(' '));
    assert.deepEqual(aws.refused, []);
  });

  test('quarantine show finds the row that list names', async () => {
    const { rows } = await lake.json<{ rows: { row_hash: string }[] }>(0, 'quarantine', 'list', 'bank', '--aws');
    const args = ['quarantine', 'show', 'bank', rows[0]?.row_hash.slice(0, 12) ?? ''];
    const there = await lake.run(...args, '--aws');
    assert.match(there.stdout, /DOMAIN_ERROR[\s\S]*quarantine release --aws bank --hash/);
    assert.deepEqual(withoutPlace(there), withoutPlace(await lake.run(...args)));
  });

  test('a pipeline that the folder here has not is what its latest run was', async () => {
    const elsewhere = ['--aws', '--pipelines', join(lake.root, 'none')];
    for (const args of [
      ['breaker', 'status', 'bank'],
      ['describe', TABLE],
    ] as const) {
      const { code, stdout } = await strataHere([...args, ...elsewhere, '--json']);
      assert.deepEqual({ code, stdout: JSON.parse(stdout) }, { code: 0, stdout: await lake.json(0, ...args) });
    }
    const { code, stderr } = await strataHere(['breaker', 'status', 'bnk', ...elsewhere]);
    assert.deepEqual([code, stderr.split(':')[0]], [1, 'no pipeline "bnk"']);
  });

  test('hints name the deployed lake, and its stage', async () => {
    const { stdout } = await lake.run('breaker', 'status', 'bank', '--aws');
    assert.match(stdout, /is open since[\s\S]* quarantine list --aws bank --code DOMAIN_ERROR --pipelines/);
    const { code, stderr } = await strataHere(['tables', '--aws', '--stage', 'dev']);
    assert.deepEqual(
      [code, stderr.split(':')[0]],
      [1, 'stack strata-dev-lake is not deployed in this account and region'],
    );
    const wrong = await strataHere(['tables', '--stage', 'dev']);
    assert.deepEqual([wrong.code, wrong.stderr], [1, '--stage without --aws: expected both, or neither\n']);
  });

  test('what a reader may not do is refused with the right that it needs', async () => {
    for (const args of [
      ['breaker', 'close', 'bank'],
      ['quarantine', 'release', 'bank', '--source', 'accounts'],
      ['switch', 'bank_gold.totals', '--to', 'candidate', '--parities', '1'],
    ]) {
      const { code, stderr } = await lake.run(...args, '--aws');
      assert.equal(code, 1);
      assert.match(stderr, /^s3:PutObject on s3:\/\/lake\/ops\/bank\/\S+ failed: .*Grant s3:PutObject/);
    }
    const status = await lake.json<{ status: string }>(0, 'breaker', 'status', 'bank');
    assert.equal(status.status, 'open');
  });

  test('runs that failed on AWS are told by what is noted of them, newest first', async () => {
    const store = createLocalStore({ root: lake.root, locationBase: LOCATION_BASE });
    let notes = 0;
    const audit = createParquetAuditLog(store, 'bank', () => `n${notes++}`);
    const note = { at: new Date('2200-01-02T03:04:05.678Z'), function: 'fail' } as const;
    const record = {
      kind: 'run',
      run_date: '2199-12-31',
      started_at: '2200-01-01T00:00:00.000Z',
      finished_at: '2200-01-01T00:00:01.500Z',
    };
    const counts = { duration_ms: 1_500, files: 2, rows_read: 0, rows_added: 0 };
    await audit.append([
      { ...note, event: 'failed', run_id: 'f1', detail: 'AuditFailed: no (after 1500 ms)' },
      {
        ...note,
        event: 'recorded',
        run_id: 'f1',
        detail: JSON.stringify({ ...record, ...counts, error: 'AuditFailed: no' }),
      },
    ]);
    await audit.append([{ ...note, event: 'failed', run_id: 'f0', detail: 'Unavailable: s3 (after 5678 ms)' }]);
    await audit.append([{ ...note, event: 'failed', run_id: 'r1', detail: 'Unavailable: s3 (after 1 ms)' }]);
    const runs = await lake.json<Record<string, unknown>[]>(0, 'runs', 'bank', '--aws');
    assert.deepEqual(
      runs.map(({ run_id, status }) => [run_id, status]),
      [
        ['f0', 'FAILED'],
        ['f1', 'FAILED'],
        ['r2', 'FAILED'],
        ['r1', 'SUCCEEDED'],
      ],
    );
    const [earlier, now] = runs;
    assert.deepEqual(
      [earlier?.['started_at'], earlier?.['duration_ms'], earlier?.['files'], earlier?.['error'], earlier?.['kind']],
      ['2200-01-02 03:04:00+00', 5678, null, 'Unavailable: s3', null],
    );
    assert.deepEqual(now, {
      ...{ pipeline: 'bank', run_id: 'f1', status: 'FAILED', started_at: '2200-01-01 00:00:00+00', ...counts },
      ...{ finished_at: '2200-01-01 00:00:01.5+00', error: 'AuditFailed: no', kind: 'run' },
      ...{ bytes_kept: null, bytes_brought: null, bytes_skipped: null, run_date: '2199-12-31' },
      ...{ cost_usd: null, cost_rate: null },
    });
    const { stdout } = await lake.run('runs', 'bank', '--aws');
    assert.match(stdout, /bank +│ f0 +│ FAILED[\s\S]*AuditFailed: no/);
  });
});
