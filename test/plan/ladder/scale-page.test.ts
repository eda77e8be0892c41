import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderRungs } from '../../../lib/cli/output/ladder/rungs.ts';
import { DEFAULT_COMPUTE } from '../../../lib/core/compute.ts';
import type { ExplainedTable } from '../../../lib/plan/explain.ts';
import { chooseRung, type RungQuestion, type SizedTable, workerBytes } from '../../../lib/plan/ladder/choose-rung.ts';
import { busySeconds, explainRung } from '../../../lib/plan/ladder/explain-rung.ts';
import { blocksOf } from '../../docs/blocks.ts';

/** A function with so many MB, and as much /tmp. */
function computeOf(memoryMb: number): typeof DEFAULT_COMPUTE {
  const { steps } = DEFAULT_COMPUTE;
  const sized = { memoryMb, tmpMb: Math.max(memoryMb, 4_096) };
  return {
    ...DEFAULT_COMPUTE,
    steps: { ...steps, Stage: { ...steps.Stage, ...sized }, Merge: { ...steps.Merge, ...sized } },
  };
}

function tableOf(id: string, gb: number): SizedTable {
  const bytes = gb * 1e9;
  const count = Math.max(1, Math.round(bytes / 128e6));
  const files = Array.from({ length: count }, (_, at) => ({
    key: `${id}/${at}`,
    bytes: bytes / count,
    rows: 1_000_000,
  }));
  return { id, bytes, files };
}

function rungOf(memoryMb: number, question: Omit<RungQuestion, 'worker'>): ReturnType<typeof explainRung> {
  const compute = computeOf(memoryMb);
  return explainRung(chooseRung({ ...question, worker: workerBytes({ spec: { compute } }) }), compute);
}

const SPLIT = { tables: ['silver.lines'], keys: 2 };
const NO_KEY = { stops: 'no column that is grouped by, or joined with another' };

test('what a plan says on the page is what it says', () => {
  const exchanges = [
    [
      { table: 'silver.lines', key: 'order_id', columns: ['order_id', 'price'] },
      { table: 'silver.orders', key: 'order_id', columns: ['order_id', 'customer_id'] },
    ],
  ];
  const [lines, orders, shops] = [
    tableOf('silver.lines', 38),
    tableOf('silver.orders', 9),
    tableOf('silver.shops', 0.01),
  ];
  const explained = [
    ['shop_gold.by_shop', { tables: [lines, shops], split: SPLIT, exchanges: NO_KEY }],
    ['shop_gold.shops', { tables: [shops], split: SPLIT, exchanges: NO_KEY }],
    ['shop_gold.orders', { tables: [lines, orders], split: { stops: 'count(DISTINCT ...)' }, exchanges }],
    ['shop_gold.median', { tables: [lines], split: { stops: 'the aggregate median' }, exchanges: NO_KEY }],
  ] as const;
  const tables = explained.map(([table, question]): ExplainedTable => {
    const rung = rungOf(10_240, question);
    const [units, partitions, estimated_bytes] = [rung.units, null, null];
    return { table, action: 'replace', reason: '', units, partitions, estimated_bytes, rung };
  });
  const [block] = blocksOf('docs/scale.md').filter(({ words }) => words.includes('figure'));
  assert.equal(block?.text, renderRungs(tables));
});

const SIZES = [1, 10, 38, 100, 1_000];

test('the table of sizes is computed by the model of the plan', () => {
  const rows = [3_008, 10_240].flatMap((memory) =>
    SIZES.map((gb) => {
      const question = { tables: [tableOf('silver.lines', gb)], split: SPLIT, exchanges: NO_KEY };
      const { rung, units, merge_units, cost } = rungOf(memory, question);
      const cells = [gb.toLocaleString('en-US'), memory.toLocaleString('en-US'), rung, units + merge_units];
      return [...cells, (cost.seconds / 60).toFixed(1), cost.usd.toFixed(3)].join(' | ');
    }),
  );
  const written = rowsOf('docs/scale.md', 'Sizes', 6).map((cells) => cells.join(' | '));
  assert.deepEqual(written, rows);
});

/** Of the tables of so many columns that a part of a page has, the rows that begin with a number. */
function rowsOf(path: string, part: string, columns: number): readonly (readonly string[])[] {
  const page = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const [text = ''] = page.split(`## ${part}\n`)[1]?.split('\n## ') ?? [];
  return text.split('\n').flatMap((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return cells.length === columns && /^[\d,.]+$/.test(cells[0] ?? '') ? [cells] : [];
  });
}

test('what was measured at four sizes is beside what the model of the plan says of them, as the page has it', () => {
  const numbers = rowsOf('bench/results.md', 'The ladder', 5).map((cells) =>
    cells.map((cell) => Number.parseFloat(cell.replaceAll(',', ''))),
  );
  assert.equal(numbers.length, 4);
  const parts = numbers.map(([, megabytes = 0, units = 0, foreseen = 0, measured = 0]) => {
    const computed = busySeconds({ units, bytes: megabytes * 1e6 }, 1);
    assert.ok(Math.abs(computed - foreseen) < 0.06, `${computed} is not ${foreseen}`);
    return measured / foreseen;
  });
  const page = readFileSync(new URL('../../../docs/scale.md', import.meta.url), 'utf8');
  const [smallest = 0, largest = 0] = [numbers[0]?.[1], numbers[3]?.[1]];
  assert.match(
    page,
    new RegExp(`from ${smallest} MB to ${(largest / 1_000).toFixed(1)} GB, it took a fifth to a half`),
  );
  assert.deepEqual(
    [Math.min(...parts), Math.max(...parts)].map((part) => part.toFixed(1)),
    ['0.2', '0.5'],
  );
});
