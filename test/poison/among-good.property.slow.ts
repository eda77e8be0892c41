import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { append, csv, definePipeline, json } from '../../lib/define/index.ts';
import { openTestLake } from '../support/test-lake.ts';

/**
 * What a record is: `poison` makes the model's SQL raise where only halving finds it, `check` breaks a check, `raises`
 * makes a check raise, `shape` is no record, `blank` is a blank line.
 */
type Kind = 'good' | 'poison' | 'check' | 'raises' | 'shape' | 'blank';
type Layout = 'csv' | 'lines' | 'array';
type Refused = { readonly file: string; readonly line: number; readonly id: string; readonly code: string };

const KINDS: readonly Kind[] = ['good', 'good', 'good', 'poison', 'check', 'raises', 'shape', 'blank'];
const CODES: Partial<Record<Kind, string>> = {
  poison: 'ENGINE_ERROR',
  check: 'LOW',
  raises: 'LOW',
  shape: 'SCHEMA_ERROR',
};
/** Its expressions use each other, so that they cannot be tried one by one. */
const SQL = 'SELECT id, a, a * a AS square, square + 1 AS next FROM batch.rows';

const files = fc.array(fc.array(fc.constantFrom(...KINDS), { maxLength: 12 }), { minLength: 1, maxLength: 4 });

for (const layout of ['csv', 'lines', 'array'] as const) {
  test(`bad records among good ones, ${layout}: the rest is as without them`, async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.boolean(), async (made, dedupe) => {
        const all = made.map((kinds, f) => kinds.map((kind, i) => ({ kind, id: f * 100 + i })));
        const mixed = await runFiles(layout, all, dedupe);
        const clean = await runFiles(
          layout,
          all.map((records) => records.filter(({ kind }) => kind === 'good' || kind === 'blank')),
          dedupe,
        );
        assert.deepEqual(mixed.rows, clean.rows);
        assert.deepEqual(mixed.refused, expectedRefused(layout, all));
      }),
      { numRuns: 6, endOnFailure: true },
    );
  });
}

type MadeRecord = { readonly kind: Kind; readonly id: number };

function expectedRefused(layout: Layout, all: readonly (readonly MadeRecord[])[]): readonly Refused[] {
  const refused = all.flatMap((records, f) => {
    const numbered = layout === 'array' ? records.filter(({ kind }) => kind !== 'blank') : records;
    return numbered.flatMap(({ kind, id }, i) => {
      const code = CODES[kind];
      const line = i + (layout === 'csv' ? 2 : 1);
      return code === undefined ? [] : [{ file: `bronze/p/rows/${f}.txt`, line, id: String(id), code }];
    });
  });
  return refused.sort((x, y) => x.file.localeCompare(y.file) || x.line - y.line);
}

async function runFiles(layout: Layout, all: readonly (readonly MadeRecord[])[], dedupe: boolean) {
  const columns = { id: 'int', a: { type: 'int', checks: { low: 'a * 1000 < 2000000' } } } as const;
  const lake = await openTestLake({
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: {
        rows: layout === 'csv' ? csv({ columns }) : json({ columns, layout: layout === 'array' ? 'array' : 'lines' }),
      },
      silver: { rows: { from: 'rows', sql: 'rows.sql', mode: dedupe ? append({ dedupe: 'row' }) : append() } },
    }),
    sql: { 'rows.sql': SQL },
  });
  try {
    for (const [f, records] of all.entries()) await lake.land('rows', `${f}.txt`, textOf(layout, records));
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(result.rejected_files, []);
    const id = "regexp_extract(raw, '([0-9]+)', 1)";
    const quarantined = (result.accounting['rows']?.quarantined ?? 0) > 0;
    const refused = quarantined
      ? await lake.rows(
          'p_ops.quarantine',
          `SELECT source_file AS file, line, ${id} AS id, codes[1] AS code FROM t ORDER BY file, line`,
        )
      : [];
    return { rows: await lake.rows('p_silver.rows'), refused };
  } finally {
    lake.close();
  }
}

/** -46341 squares beyond an int and passes the check; 2147483647 makes the check raise. */
const VALUES: Partial<Record<Kind, number>> = { poison: -46_341, check: 2_000, raises: 2_147_483_647 };

function textOf(layout: Layout, records: readonly MadeRecord[]): string {
  const texts = records.map(({ kind, id }) => recordOf(layout, kind, id));
  if (layout === 'array') return `[${texts.filter((text) => text !== '').join(',\n')}]`;
  return `${[...(layout === 'csv' ? ['id,a'] : []), ...texts].join('\n')}\n`;
}

function recordOf(layout: Layout, kind: Kind, id: number): string {
  const a = VALUES[kind] ?? id;
  if (kind === 'blank') return '';
  if (layout === 'csv') return kind === 'shape' ? `${id}` : `${id},${a}`;
  return kind === 'shape' ? `${id}` : JSON.stringify({ id, a });
}
