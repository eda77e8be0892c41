import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { MOST_BYTES } from '../../lib/cli/mcp/tools.ts';
import { openCliLake } from './lake.ts';

const BIN = new URL('../../bin/strata.ts', import.meta.url).pathname;

const lake = openCliLake(
  'shop',
  `{
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'int', buyer: { type: 'string', personal: true }, amount: 'int' } }) },
    silver: { orders: { from: 'orders' } },
    gold: { totals: { sql: 'totals.sql', description: 'What was paid in all' } },
  }`,
  { 'totals.sql': 'SELECT sum(amount) AS paid, count(*) AS n FROM silver.orders' },
);

type Answer = { readonly isError?: boolean; readonly content: readonly { readonly text: string }[] };
type Reply = {
  readonly id: number;
  readonly result?: Answer & Record<string, unknown>;
  readonly error?: { readonly message: string };
};

/** A client of the protocol over the pipes of `strata mcp`. */
function connect() {
  const child = spawn(process.execPath, [BIN, 'mcp', '--root', lake.root, '--pipelines', lake.pipelines], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, (reply: Reply) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Nothing else may stand on stdout.
    const reply = JSON.parse(line) as Reply;
    waiting.get(reply.id)?.(reply);
  });
  let last = 0;
  const ask = (method: string, params: unknown): Promise<Reply> => {
    last += 1;
    const id = last;
    const reply = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return reply;
  };
  const call = async (name: string, given: unknown): Promise<Answer> => {
    const { result } = await ask('tools/call', { name, arguments: given });
    assert.ok(result, name);
    return result;
  };
  return {
    ask,
    call,
    /** What a tool answers, which must be no error. */
    async get<T>(name: string, given: unknown = {}): Promise<T> {
      const { content, isError } = await call(name, given);
      assert.equal(isError ?? false, false, content[0]?.text);
      return JSON.parse(content[0]?.text ?? '') as T;
    },
    tell: (method: string) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method })}\n`),
    async close(): Promise<number | null> {
      child.stdin.end();
      const [code] = (await once(child, 'close')) as [number | null];
      return code;
    },
  };
}

describe('an assistant looks at a lake', () => {
  const client = connect();
  before(async () => {
    await lake.land('shop', 'orders', 'a.csv', 'id,buyer,amount\n1,ann,5\n2,bob,7\nx,eve,1\n');
    await lake.json(0, 'run', 'shop', '--run-id', 'first');
    const { result } = await client.ask('initialize', {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'test', version: '1' },
    });
    assert.equal((result?.['serverInfo'] as { name: string } | undefined)?.name, 'strata');
    client.tell('notifications/initialized');
  });
  after(() => lake.close());

  test('its tools say that they only read', async () => {
    const { result } = await client.ask('tools/list', {});
    const tools = result?.['tools'] as readonly { name: string; annotations: Record<string, boolean> }[];
    assert.deepEqual(
      tools.map(({ name }) => name),
      ['list_tables', 'describe_table', 'lineage', 'list_runs', 'quarantine', 'status', 'query'],
    );
    for (const { annotations } of tools) {
      assert.deepEqual([annotations['readOnlyHint'], annotations['destructiveHint']], [true, false]);
    }
  });

  test('tables, a table, and where a column comes from', async () => {
    const { tables } = await client.get<{ tables: { name: string; rows: number }[] }>('list_tables');
    const { name, rows } = tables.find((one) => one.name === 'shop_silver.orders') ?? {};
    assert.deepEqual([name, rows], ['shop_silver.orders', 2]);
    const totals = await client.get<{ description: string; lineage: { reads: string[] } }>('describe_table', {
      table: 'shop_gold.totals',
    });
    assert.deepEqual([totals.description, totals.lineage.reads], ['What was paid in all', ['shop_silver.orders']]);
    const { upstream } = await client.get<{ upstream: { from: string }[] }>('lineage', {
      name: 'shop_gold.totals.paid',
    });
    assert.deepEqual(
      upstream.map(({ from }) => from),
      ['shop_silver.orders.amount', 'bronze/shop/orders.amount'],
    );
  });

  test('runs, rejected rows, and how the pipeline does', async () => {
    const { runs, total } = await client.get<{ runs: { run_id: string }[]; total: number }>('list_runs', {
      pipeline: 'shop',
      limit: 1,
    });
    assert.deepEqual([runs[0]?.run_id, total], ['first', 1]);
    const { total: rejected, rows } = await client.get<{ total: number; rows: { raw_record: string }[] }>(
      'quarantine',
      {
        pipeline: 'shop',
      },
    );
    assert.equal(rejected, 1);
    assert.doesNotMatch(JSON.stringify(rows), /eve/);
    const { total: none } = await client.get<{ total: number }>('quarantine', { pipeline: 'shop', code: 'NEGATIVE' });
    assert.equal(none, 0);
    const { pipelines } = await client.get<{ pipelines: { pipeline: string }[] }>('status');
    assert.deepEqual(
      pipelines.map(({ pipeline }) => pipeline),
      ['shop'],
    );
    const { pipelines: one } = await client.get<{ pipelines: { last_run: { status: string } }[] }>('status', {
      pipeline: 'shop',
    });
    assert.equal(one[0]?.last_run.status, 'SUCCEEDED');
  });

  test('a query has so many rows and bytes, masks what is personal, and may be about the past', async () => {
    type Rows = { rows: Record<string, unknown>[]; total: number; truncated: boolean; masked: string[] };
    const people = await client.get<Rows>('query', { sql: 'SELECT id, buyer FROM shop_silver.orders ORDER BY id' });
    assert.deepEqual([people.total, people.truncated, people.masked], [2, false, ['shop_silver.orders.buyer']]);
    assert.doesNotMatch(JSON.stringify(people.rows), /ann|bob/);
    const first = await client.get<Rows>('query', {
      sql: 'SELECT id FROM shop_silver.orders ORDER BY id',
      max_rows: 1,
    });
    assert.deepEqual([first.rows, first.total, first.truncated], [[{ id: 1 }], 2, true]);
    const long = "SELECT repeat('x', 40_000) AS x FROM shop_silver.orders a, shop_silver.orders b";
    const cut = await client.get<Rows>('query', { sql: long });
    assert.deepEqual([cut.rows.length, cut.total, cut.truncated], [2, 4, true]);
    const none = await client.call('query', { sql: `SELECT repeat('x', ${MOST_BYTES}) AS x FROM shop_silver.orders` });
    assert.match(none.content[0]?.text ?? '', /the first row has 10000\d bytes; .* name fewer columns/);
    const past = await client.get<Rows>('query', { sql: 'SELECT n FROM shop_gold.totals', as_of: 'first' });
    assert.deepEqual(past.rows, [{ n: 2 }]);
  });

  const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
    ['query', { sql: 'DROP TABLE shop_silver.orders' }, /expected one SELECT: queries only read/],
    ['query', { sql: "SELECT * FROM read_csv('/etc/passwd')" }, /read_csv/],
    ['query', { sql: 'SELECT 1', max_rows: 5000 }, /max_rows/],
    ['describe_table', { table: 'shop_gold.total' }, /did you mean shop_gold\.totals/],
    ['describe_table', {}, /table/],
    ['lineage', { name: 'nothing' }, /no pipeline here has "nothing"/],
    ['quarantine', { pipeline: 'nope' }, /no pipeline "nope"/],
  ];
  for (const [name, given, message] of WRONG) {
    test(`${name} with ${JSON.stringify(given)} says what is wrong`, async () => {
      const { content, isError } = await client.call(name, given);
      assert.equal(isError, true);
      assert.match(content[0]?.text ?? '', message);
      assert.doesNotMatch(content[0]?.text ?? '', /\n\s+at /);
    });
  }

  test('it ends with its client', async () => {
    assert.equal(await client.close(), 0);
  });
});
