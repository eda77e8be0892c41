import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import type { Row } from '../../lib/ports.ts';
import { breakerStatus } from '../../lib/query/breaker-status.ts';
import {
  exportQuarantine,
  listQuarantine,
  type QuarantineRequest,
  showQuarantined,
} from '../../lib/query/quarantine.ts';
import { releaseRows } from '../../lib/runtime/release-rows.ts';
import { resetBreaker } from '../../lib/runtime/reset-breaker.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const BANK: TestPipeline = {
  name: 'bank',
  definition: definePipeline({
    name: 'bank',
    breaker: { rows: 3, window: '1h' },
    sources: {
      payments: csv({
        key: ['id'],
        columns: {
          id: { type: 'string', required: true },
          amount: { type: 'decimal(10,2)', required: true },
          currency: { type: 'string', in: ['EUR', 'GBP'] },
        },
      }),
      fees: csv({ columns: { id: { type: 'int', required: true } } }),
    },
    silver: { payments: { from: 'payments', mode: append() }, fees: { from: 'fees', mode: append() } },
    gold: {},
  }),
};
const HEADER = 'id,amount,currency\n';
let lake: TestLake;

before(async () => {
  lake = await openTestLake(BANK);
  assert.deepEqual(await listQuarantine(lake.deps, 'bank', {}, 10), {
    pipeline: 'bank',
    total: 0,
    released: 0,
    summary: [],
    rows: [],
  });
  assert.deepEqual(await exported({}), [], 'before anything was rejected');
  await lake.land('payments', 'a.csv', `${HEADER}1,5.00,XXX\n2,,YYY\n3,1.00,EUR\n`);
  await lake.land('fees', 'f.csv', 'id\nx\n');
  await lake.run({ runId: 'r1' });
  await lake.land('payments', 'b.csv', `${HEADER}1,5.00,XXX\n1,6.00,ZZZ\n`);
  await lake.run({ runId: 'r2' });
});
after(() => lake.close());

function exported(request: QuarantineRequest): Promise<readonly Row[]> {
  return exportQuarantine(lake.deps, 'bank', request, async (result) => {
    const rows: Row[] = [];
    for await (const page of result.pages()) rows.push(...page);
    assert.equal(result.rows, rows.length);
    assert.ok(result.columns.some(({ name }) => name === 'row_hash'));
    return rows;
  });
}

function places(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => `${String(row['source_file']).split('/').at(-1)}:${row['line']}`).sort();
}

test('the list counts by source, code and status, and shows the newest rows', async () => {
  const found = await listQuarantine(lake.deps, 'bank', {}, 2);
  assert.equal(found.total, 5);
  assert.deepEqual(
    found.summary.map((row) => Object.values(row).join(' ')),
    [
      'payments DOMAIN_ERROR quarantined 3',
      'fees TYPE_ERROR quarantined 1',
      'payments DUPLICATE_FAILURE condemned 1',
      'payments NULL_VALUE_ERROR quarantined 1',
    ],
  );
  assert.deepEqual(places(found.rows), ['b.csv:2', 'b.csv:3']);
});

const FILTERS: readonly (readonly [string, QuarantineRequest, readonly string[]])[] = [
  ['all', {}, ['a.csv:2', 'a.csv:3', 'b.csv:2', 'b.csv:3', 'f.csv:2']],
  ['a source', { source: 'fees' }, ['f.csv:2']],
  ['a code among several of a row', { code: 'NULL_VALUE_ERROR' }, ['a.csv:3']],
  ['a status', { status: 'condemned' }, ['b.csv:2']],
  ['a run', { runId: 'r2' }, ['b.csv:2', 'b.csv:3']],
  ['a file by its name', { files: ['a.csv'] }, ['a.csv:2', 'a.csv:3']],
  ['a file by its key', { files: ['bronze/bank/payments/a.csv'], code: 'DOMAIN_ERROR' }, ['a.csv:2', 'a.csv:3']],
  ['a file of another source', { files: ['a.csv'], source: 'fees' }, []],
  ['a code that no row has', { code: 'NULL_KEY' }, []],
];
for (const [name, request, expected] of FILTERS) {
  test(`rows are chosen by ${name}`, async () => {
    assert.deepEqual(places(await exported(request)), expected);
    assert.equal((await listQuarantine(lake.deps, 'bank', request, 1)).total, expected.length);
  });
}

describe('one row', () => {
  test('by its hash or the beginning of it: each arrival, and others of its key', async () => {
    const [first] = await exported({ code: 'DUPLICATE_FAILURE' });
    const hash = String(first?.['row_hash']);
    const row = await showQuarantined(lake.deps, 'bank', hash.slice(0, 10).toUpperCase());
    assert.deepEqual([row.row_hash, row.source, row.arrivals.length], [hash, 'payments', 2]);
    assert.deepEqual(
      row.arrivals.map(({ run_id, status, attempt }) => [run_id, status, attempt]),
      [
        ['r1', 'quarantined', 1],
        ['r2', 'condemned', 2],
      ],
    );
    assert.match(String(row.arrivals[0]?.['raw']), /5\.00.*XXX/);
    assert.deepEqual(places(row.same_key), ['b.csv:3']);
    assert.ok(row.business_key?.includes('1'));
  });

  const WRONG: readonly (readonly [string, string, RegExp])[] = [
    ['no hash', 'xyz', /not a row hash: got "xyz"; expected 64 hexadecimal digits/],
    ['a hash of no row', '0'.repeat(64), /no row of bank with hash 0+ is in quarantine/],
  ];
  for (const [name, hash, message] of WRONG) {
    test(name, async () => {
      await assert.rejects(showQuarantined(lake.deps, 'bank', hash), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

test('a source that is none is named, and a release of everything is refused', async () => {
  await assert.rejects(listQuarantine(lake.deps, 'bank', { source: 'payment' }, 1), /did you mean "payments"\?/);
  await assert.rejects(releaseRows(lake.deps, 'bank', {}), /expected a source, a code, files or row hashes/);
});

test('released rows stay on record and are held against nobody', async () => {
  const [row] = await exported({ code: 'NULL_VALUE_ERROR' });
  const hashes = [String(row?.['row_hash']).slice(0, 12)];
  assert.equal(await releaseRows(lake.deps, 'bank', { hashes }), 1);
  assert.equal(await releaseRows(lake.deps, 'bank', { hashes }), 0);
  assert.deepEqual(places(await exported({ status: 'released' })), ['a.csv:3']);
  assert.equal((await listQuarantine(lake.deps, 'bank', {}, 1)).total, 5);
});

test('the breaker is closed, opens, and is closed by a person', async () => {
  const limit = { rows: 3, window_ms: 3_600_000 };
  assert.deepEqual(await breakerStatus(lake.deps, 'bank'), { pipeline: 'bank', status: 'closed', limit, open: null });
  assert.equal(await resetBreaker(lake.deps, 'bank'), false);
  await lake.land('payments', 'c.csv', `${HEADER}${[10, 11, 12, 13].map((id) => `${id},1.00,AAA`).join('\n')}\n`);
  assert.equal((await lake.run({ runId: 'r3' })).status, 'FAILED');
  const { status, open } = await breakerStatus(lake.deps, 'bank');
  assert.deepEqual([status, open?.code, open?.run_id], ['open', 'DOMAIN_ERROR', 'r3']);
  assert.equal(await resetBreaker(lake.deps, 'bank'), true);
  assert.equal((await breakerStatus(lake.deps, 'bank')).status, 'closed');
});

test('two have to ask for condemned rows to be released of a pipeline whose runs are approved', async () => {
  const promote = { auto: null, maxQuarantineRate: null, forbid: [], expiresMs: 1 };
  const openGated = async (): Promise<TestLake> =>
    (await lake.copy()).reopen((deps) => ({
      ...deps,
      specs: async (name) => ({ ...(await deps.specs(name)), promote }),
    }));
  const gated = await openGated();
  const condemned = { status: 'condemned' } as const;
  const ask = (by: string, of = gated): Promise<number> =>
    releaseRows(of.deps, 'bank', condemned, { by, reason: 'the bank has said so' });
  await assert.rejects(
    releaseRows(gated.deps, 'bank', condemned),
    /1 condemned rows of bank are not released: got nobody/,
  );
  await assert.rejects(
    ask('ann'),
    /not released yet: ann has asked for it at .* \(the bank has said so\); expected somebody else/,
  );
  await assert.rejects(ask('Ann '), /ann has asked for it/);
  assert.equal((await listQuarantine(gated.deps, 'bank', condemned, 1)).total, 1);
  assert.equal(await ask('bob'), 1);
  assert.equal((await listQuarantine(gated.deps, 'bank', condemned, 1)).total, 0);
  // What is not condemned one may release alone.
  assert.equal(await releaseRows(gated.deps, 'bank', { code: 'TYPE_ERROR' }), 1);
  gated.close();
  // Of two at one time one is the first, and not both.
  const other = await openGated();
  const both = await Promise.allSettled([ask('ann', other), ask('bob', other)]);
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  other.close();
});
