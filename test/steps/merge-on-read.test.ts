import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { FILE_PATH_ID, POS_ID } from '../../lib/iceberg/position-deletes.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { ManifestEntry } from '../../lib/iceberg/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { currentManifests, isLive, planFiles, readManifest } from '../../lib/table/read.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** The same events into tables that are merged on read and into tables that are written anew: their rows are equal after every run. */

const history = { key: 'id', sequence: 'at', deleteWhen: "op = 'D'", buckets: 2 } as const;
const onRead = { writeMode: 'merge-on-read' } as const;

function shop(silver: object): TestPipeline {
  const columns = { id: 'bigint', at: 'date', name: 'string', price: 'double', op: 'string' } as const;
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { items: csv({ columns }) },
      silver,
    } as Parameters<typeof definePipeline>[0]),
  };
}

const SHOP = shop({
  versions: { from: 'items', mode: scd2({ ...history, ...onRead }) },
  versions_anew: { from: 'items', mode: scd2({ ...history, writeMode: 'copy-on-write' }) },
});

const lakes: TestLake[] = [];
after(() => {
  for (const lake of lakes) lake.close();
});

async function open(pipeline: TestPipeline): Promise<TestLake> {
  const lake = await openTestLake(pipeline);
  lakes.push(lake);
  return lake;
}

let landed = 0;
async function runWith(lake: TestLake, lines: readonly string[], request: object = {}): Promise<void> {
  landed += 1;
  await lake.land('items', `${landed}.csv`, `id,at,name,price,op\n${lines.join('\n')}\n`);
  const result = await lake.run(request);
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
}

async function assertEqual(lake: TestLake, where: string): Promise<void> {
  assert.deepEqual(await lake.rows('shop_silver.versions'), await lake.rows('shop_silver.versions_anew'), where);
}

const MANY = Array.from({ length: 40 }, (_, i) => `${i + 10},2026-01-01,n${i},1.5,U`);

const FIRST = ['1,2026-01-10,a,1,U', '1,2026-01-20,b,1,U', '2,2026-01-05,x,5,U', ...MANY];
const LATER: readonly (readonly [string, readonly string[]])[] = [
  [
    'late, as before, deleted, and new',
    ['1,2026-01-05,z,1,U', '2,2026-01-15,x,5,U', '11,2026-03-01,,,D', '3,2026-01-01,new,0,U'],
  ],
  ['come back, and zeros that differ in their signs', ['11,2026-04-01,x,-0.0,U', '3,2026-01-02,new,-0.0,U']],
  ['all keys', [...MANY.map((line) => line.replace('2026-01-01', '2026-05-01')), '1,2026-05-01,d,3,U']],
];

async function entries(lake: TestLake, table: string, content: 'data' | 'deletes'): Promise<readonly ManifestEntry[]> {
  const metadata = (await lake.metadata(table)) ?? assert.fail(table);
  const manifests = (await currentManifests(lake.store, metadata)).filter((one) => one.content === content);
  const all = await Promise.all(manifests.map((one) => readManifest(lake.store, metadata, one)));
  return all.flat().filter(isLive);
}

const paths = (files: readonly ManifestEntry[]): readonly string[] => files.map(({ file }) => file.path).sort();

describe('what a merge on read writes', async () => {
  const lake = await open(SHOP);
  await runWith(lake, FIRST);
  const first = await entries(lake, 'shop_silver.versions', 'data');
  await runWith(lake, ['1,2026-02-10,c,2,U', '12,2026-02-10,n2,7,U', '13,2026-01-02,n3,1.5,D']);

  test('a delete file for each bucket, with the places of the rows that are gone, in order', async () => {
    const deletes = await entries(lake, 'shop_silver.versions', 'deletes');
    const buckets = deletes.map(({ file }) => file.partition[0]);
    assert.deepEqual([...new Set(buckets)].length, deletes.length);
    await using session = await lake.deps.engine.open(lake.deps.settings);
    let gone = 0;
    for (const { file } of deletes) {
      await using borrowed = await lake.store.borrow([lake.store.key(file.path)]);
      const local = [...borrowed.paths.values()][0] ?? assert.fail();
      const read = `read_parquet('${local}', file_row_number = true)`;
      const rows = await session.rows({ name: 'r', text: userSql(`SELECT * FROM ${read} ORDER BY file_row_number`) });
      gone += rows.length;
      const ids = await session.rows({
        name: 'ids',
        text: userSql(`SELECT name, field_id FROM parquet_schema('${local}') WHERE field_id IS NOT NULL`),
      });
      assert.deepEqual(
        ids.map(({ name, field_id }) => [name, Number(field_id)]),
        [
          ['file_path', FILE_PATH_ID],
          ['pos', POS_ID],
        ],
      );
      const named = rows.map(({ file_path, pos }) => [String(file_path), Number(pos)] as const);
      assert.deepEqual(
        named,
        named.toSorted(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x - y)),
      );
      const inBucket = first.filter((one) => one.file.partition[0] === file.partition[0]);
      assert.ok(named.every(([path]) => paths(inBucket).includes(path)));
      const bound = (of: ReadonlyMap<number, Uint8Array>) => Buffer.from(of.get(FILE_PATH_ID) ?? []).toString();
      assert.deepEqual(
        [bound(file.lowerBounds), bound(file.upperBounds), Number(file.rows)],
        [named[0]?.[0], named.at(-1)?.[0], rows.length],
      );
      assert.match(file.path, /\/data\/[^/]+\/[^/]+-deletes\.parquet$/);
    }
    assert.equal(gone, 3, 'the open rows of three keys');
  });

  test('the summary counts them', async () => {
    const summary = currentSnapshot((await lake.metadata('shop_silver.versions')) ?? assert.fail())?.summary ?? {};
    const of = (name: string): string | undefined => (summary as Readonly<Record<string, string>>)[name];
    assert.equal(of('operation'), 'overwrite');
    assert.equal(of('added-position-deletes'), '3');
    assert.equal(of('total-position-deletes'), '3');
    assert.equal(of('added-delete-files'), of('total-delete-files'));
    assert.equal(of('deleted-data-files'), undefined);
    // Two keys go on in two rows each, one that is closed and one that is open; of the third one closed row is left.
    assert.equal(of('added-records'), '5');
    assert.equal(of('total-records'), String(43 + 5));
  });

  test('rows that a key has as before are not written again', async () => {
    const files = await planFiles(lake.store, (await lake.metadata('shop_silver.versions')) ?? assert.fail());
    await runWith(lake, ['1,2026-01-01,early,1,U']);
    const now = await planFiles(lake.store, (await lake.metadata('shop_silver.versions')) ?? assert.fail());
    const added = now.filter(({ path }) => !files.some((one) => one.path === path));
    assert.deepEqual([added.length, Number(added[0]?.rows)], [1, 1]);
    assert.equal((await entries(lake, 'shop_silver.versions', 'deletes')).length, 2);
    await assertEqual(lake, 'after an early event');
  });

  test('whatever comes, rows are those of buckets that are written anew, and data files stay', async () => {
    let before = paths(await entries(lake, 'shop_silver.versions', 'data'));
    for (const [what, lines] of LATER) {
      await runWith(lake, lines);
      await assertEqual(lake, what);
      const files = paths(await entries(lake, 'shop_silver.versions', 'data'));
      assert.deepEqual(
        before.filter((path) => !files.includes(path)),
        [],
        what,
      );
      before = files;
    }
  });

  test('the table says so to other engines, its log and other tables do not', async () => {
    const saying = async (name: string): Promise<unknown> => {
      const { properties } = (await lake.metadata(`shop_silver.${name}`)) ?? assert.fail();
      return ['merge', 'update', 'delete'].map((what) => properties[`write.${what}.mode`]);
    };
    assert.deepEqual(await saying('versions'), Array(3).fill('merge-on-read'));
    for (const name of ['versions__log', 'versions_anew'])
      assert.deepEqual(await saying(name), Array(3).fill(undefined));
  });
});
