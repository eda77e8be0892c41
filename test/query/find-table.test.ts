import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCatalog } from '../../lib/adapters/catalog/memory.ts';
import { fullName, parseTableName } from '../../lib/core/tables.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';

const NAMES = ['shop_silver.Orders', 'shop_gold.totals', 'shop_gold.trend', 'shop_ops.runs'];

async function catalog(names: readonly string[] = NAMES) {
  const tables = createMemoryCatalog();
  for (const name of names) await tables.commit(parseTableName(name), undefined, sampleMetadata());
  return tables;
}

for (const [asked, known] of [
  ['shop_gold.totals', 'shop_gold.totals'],
  ['SHOP_Gold.TOTALS', 'shop_gold.totals'],
  ['shop_silver.orders', 'shop_silver.Orders'],
]) {
  test(`${asked} is ${known}`, async () => {
    assert.equal(fullName((await findTable(await catalog(), String(asked))).id), known);
  });
}

const UNKNOWN: readonly (readonly [string, RegExp])[] = [
  ['shop_gold.total', /expected a table that exists; did you mean shop_gold\.totals\?$/],
  ['totals', /did you mean shop_gold\.totals\?$/],
  ['gold.totals', /did you mean shop_gold\.totals\?$/],
  ['silver.orders', /did you mean shop_silver\.Orders\?$/],
  ['entirely.different', /expected one of shop_gold\.totals, shop_gold\.trend, shop_silver\.Orders$/],
  ['', /^no table ""/],
];

for (const [asked, message] of UNKNOWN) {
  test(`${JSON.stringify(asked)} is unknown, and what is meant is said`, async () => {
    await assert.rejects(findTable(await catalog(), asked), { name: 'InvalidInput', message });
  });
}

test('a long list of tables is cut, and an empty lake says what to do', async () => {
  const many = Array.from({ length: 30 }, (_, at) => `shop_gold.t${at}`);
  await assert.rejects(findTable(await catalog(many), 'entirely.different'), /strata tables lists all 30/);
  await assert.rejects(findTable(await catalog([]), 'shop_gold.t'), /the lake has none yet: land files and run/);
});
