import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalStore } from '../../lib/adapters/store/local.ts';
import { append, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { type FolderLake, onStore, openFolderLake } from './folder-lake.ts';
import type { TestLake, TestPipeline } from './test-lake.ts';

const COLUMNS = { id: 'int', amount: 'int' } as const;
export const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: COLUMNS }), events: csv({ columns: COLUMNS }) },
    silver: {
      items: { from: 'rows', mode: append({ dedupe: 'row' }) },
      latest: { from: 'events', mode: scd2({ key: 'id', sequence: 'amount' }) },
    },
    gold: { totals: { sql: 'totals.sql' } },
  }),
  sql: { 'totals.sql': 'SELECT sum(amount) AS amount FROM silver.items' },
};

/** A lake of two runs. */
export async function openShop(): Promise<FolderLake> {
  const opened = await openFolderLake(SHOP);
  for (const file of ['a', 'b']) {
    const id = file === 'a' ? 1 : 2;
    await opened.land('rows', `${file}.csv`, `id,amount\n${id},${id}0\n`);
    await opened.land('events', `${file}.csv`, `id,amount\n${id},${id}0\n`);
    assert.equal((await opened.lake.run({ runId: file })).status, 'SUCCEEDED');
  }
  return opened;
}

/** The lake as it is opened at another place. */
export function openAt(lake: TestLake, root: string): TestLake {
  return lake.reopen((deps) => onStore(deps, createLocalStore({ root, durable: false })));
}

export const ITEMS = 'SELECT id, amount FROM t ORDER BY id';

const TABLES = [
  'shop_silver.items',
  'shop_silver.latest',
  'shop_silver.latest__log',
  'shop_gold.totals',
  'shop_ops.files',
  'shop_ops.runs',
];

/** The rows of tables of all kinds. */
export async function contents(lake: TestLake): Promise<unknown> {
  const found: unknown[] = [];
  for (const name of TABLES) found.push([name, await lake.rows(name)]);
  return found;
}

/** Every file below a folder with its content and time. */
export function photograph(root: string): unknown {
  return globSync('**', { cwd: root })
    .filter((name) => statSync(join(root, name)).isFile())
    .map((name) => [name, readFileSync(join(root, name)).toString('base64'), statSync(join(root, name)).mtimeMs])
    .sort();
}
