import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryCatalog } from '../../lib/adapters/catalog/memory.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { RUN_ID } from '../../lib/iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../lib/iceberg/types.ts';
import type { FoundTable } from '../../lib/query/find-table.ts';
import { parseMoment, parseTime, snapshotAt } from '../../lib/query/moment.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';

const TIMES: readonly (readonly [string, string | undefined])[] = [
  ['2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['2026-01-31T12:30', '2026-01-31T12:30:00.000Z'],
  ['2026-01-31 12:30:15', '2026-01-31T12:30:15.000Z'],
  ['2026-01-31T12:30:15.250Z', '2026-01-31T12:30:15.250Z'],
  ['2026-01-31T12:30:15.2509999z', '2026-01-31T12:30:15.250Z'],
  ['2026-01-31 12:30:15.25+00', '2026-01-31T12:30:15.250Z'],
  ['2026-01-31T12:30:15+02:00', '2026-01-31T10:30:15.000Z'],
  ['2026-01-31T12:30:15-0330', '2026-01-31T16:00:15.000Z'],
  [' 2024-02-29 ', '2024-02-29T00:00:00.000Z'],
  ['2026-02-30', undefined],
  ['2026-13-01', undefined],
  ['2026-01-31T25:00', undefined],
  ['2026-01', undefined],
  ['31.01.2026', undefined],
  ['yesterday', undefined],
  ['2026-01-31T12:30:15+02:00x', undefined],
];

for (const [text, iso] of TIMES) {
  test(`the time ${JSON.stringify(text)} is ${iso ?? 'none'}`, () => {
    const time = parseTime(text);
    assert.equal(time === undefined ? undefined : new Date(time).toISOString(), iso);
  });
}

type Made = { readonly id: bigint; readonly at: number; readonly run?: string };

function table(...made: readonly Made[]): TableMetadata {
  const snapshots = made.map(
    ({ id, at, run }): Snapshot => ({
      'snapshot-id': id,
      'sequence-number': id,
      'timestamp-ms': BigInt(at),
      'manifest-list': `memory://store/${id}`,
      summary: { operation: 'append', ...(run === undefined ? {} : { [RUN_ID]: run }) },
    }),
  );
  const log = snapshots.map((one) => ({ 'timestamp-ms': one['timestamp-ms'], 'snapshot-id': one['snapshot-id'] }));
  return { ...sampleMetadata(), snapshots, 'snapshot-log': log, 'current-snapshot-id': made.at(-1)?.id ?? null };
}

/** Runs r1, r2 and r3 of pipeline p; q has a run r2 of its own, long after; x was written by someone else. */
const LAKE: Readonly<Record<string, TableMetadata>> = {
  'p_silver.sales': table(
    { id: 11n, at: 100, run: 'r1' },
    { id: 12n, at: 200, run: 'r2' },
    { id: 13n, at: 300, run: 'r3' },
  ),
  'p_gold.totals': table({ id: 21n, at: 110, run: 'r1' }, { id: 23n, at: 310, run: 'r3' }),
  'p_gold.late': table({ id: 33n, at: 311, run: 'r3' }),
  'p_ops.runs': table(
    { id: 41n, at: 120, run: 'r1' },
    { id: 42n, at: 220, run: 'r2' },
    { id: 43n, at: 320, run: 'r3' },
  ),
  'q_silver.sales': table({ id: 51n, at: 150, run: 'r1' }, { id: 52n, at: 900, run: 'r2' }),
  'q_gold.x': table({ id: 61n, at: 215 }, { id: 62n, at: 950 }),
};

async function lake() {
  const catalog = createMemoryCatalog();
  for (const [name, metadata] of Object.entries(LAKE)) await catalog.commit(parseTableName(name), undefined, metadata);
  return catalog;
}

function found(name: string): FoundTable {
  const metadata = LAKE[name];
  assert.ok(metadata);
  return { id: parseTableName(name), metadata, metadataLocation: '' };
}

const MOMENTS: readonly (readonly [string, readonly string[], readonly (bigint | 'none')[]])[] = [
  // as of, tables of the query, their snapshots
  ['r1', ['p_silver.sales', 'p_gold.totals', 'p_gold.late'], [11n, 21n, 'none']],
  // r2 left totals alone, so it is as r1 left it; and each pipeline has its own r2.
  ['r2', ['p_silver.sales', 'p_gold.totals', 'q_silver.sales'], [12n, 21n, 52n]],
  // q has no r3: its tables as of the time of p's.
  ['r3', ['p_gold.totals', 'q_silver.sales'], [23n, 51n]],
  ['12', ['p_silver.sales', 'p_gold.totals'], [12n, 21n]],
  // Nobody's run: the time of the snapshot.
  ['61', ['q_gold.x', 'p_silver.sales', 'p_gold.late'], [61n, 12n, 'none']],
  ['1970-01-01T00:00:00.299Z', ['p_silver.sales', 'q_gold.x'], [12n, 61n]],
  ['1970-01-01T00:00:00.3Z', ['p_silver.sales'], [13n]],
  ['1970-01-01', ['p_silver.sales'], ['none']],
  ['2026-01-01', ['p_silver.sales', 'q_gold.x'], [13n, 62n]],
];

for (const [text, names, expected] of MOMENTS) {
  test(`as of ${text}: ${names.join(', ')}`, async () => {
    const tables = names.map(found);
    const moment = await parseMoment(await lake(), text, tables);
    const seen = tables.map((one) => {
      try {
        return snapshotAt(one, moment)['snapshot-id'];
      } catch (error) {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, /had no snapshot as of .*; its first is of 1970-01-01T00:00:00/);
        return 'none';
      }
    });
    assert.deepEqual(seen, expected);
  });
}

for (const text of ['r9', '99', '11111111111111111111', 'yesterday', '']) {
  test(`as of ${JSON.stringify(text)} is nothing that exists`, async () => {
    await assert.rejects(parseMoment(await lake(), text, [found('p_silver.sales')]), (error) => {
      assert.ok(error instanceof InvalidInput);
      assert.match(error.message, /expected the id of a run .* a snapshot id of p_silver\.sales .* or a time such as/);
      return true;
    });
  });
}
