import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, json, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestPipeline } from '../support/test-lake.ts';

type Format = 'csv' | 'json';

/** Files of shapes of their own: file f has the columns `c<f * width>` and on, and one row. */
function textOf(format: Format, file: number, width: number): string {
  const names = Array.from({ length: width }, (_, i) => `c${file * width + i}`);
  if (format === 'csv') return `id,at,${names.join(',')}\n${file},1,${names.map((name) => `v-${name}`).join(',')}\n`;
  return `${JSON.stringify({ id: file, at: 1, ...Object.fromEntries(names.map((name) => [name, `v-${name}`])) })}\n`;
}

function pipeline(format: Format, silver: Record<string, unknown> = {}): TestPipeline {
  const options = { columns: { id: 'int', at: 'int' }, drift: 'evolve' } as const;
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { rows: format === 'csv' ? csv(options) : json(options) },
      silver: { rows: { from: 'rows', ...silver } },
    }),
  };
}

const MODES = {
  'append, in one pass': {},
  'append, without duplicates': { mode: append({ dedupe: 'row' }) },
  upsert: { mode: upsert({ key: 'id', sequence: 'at', buckets: 1 }) },
} as const;

for (const format of ['csv', 'json'] as const) {
  for (const [mode, silver] of Object.entries(MODES)) {
    test(`files of many shapes with many new columns, ${format}, ${mode}`, async () => {
      const [shapes, width] = [6, format === 'csv' && mode.startsWith('append, in') ? 500 : 60];
      const lake = await openTestLake(pipeline(format, silver));
      try {
        for (let file = 0; file < shapes; file += 1) await lake.land('rows', `f${file}`, textOf(format, file, width));
        const result = await lake.run();
        assert.equal(result.status, 'SUCCEEDED', result.error?.message);
        assert.deepEqual(result.rejected_files, []);
        const rows = await lake.rows('p_silver.rows', 'SELECT * FROM t ORDER BY id');
        assert.equal(rows.length, shapes);
        for (const [file, row] of rows.entries()) {
          const filled = Object.entries(row).filter(([name, value]) => /^c\d+$/.test(name) && value !== null);
          const expected = Array.from({ length: width }, (_, i) => `c${file * width + i}`);
          assert.deepEqual(filled.map(([name]) => name).sort(), expected.sort());
          for (const [name, value] of filled) assert.equal(value, `v-${name}`);
        }
      } finally {
        lake.close();
      }
    });
  }
}

test('a file that would make more columns than a table may have is set aside, and the others go on', async () => {
  for (const format of ['csv', 'json'] as const) {
    const lake = await openTestLake(pipeline(format));
    try {
      await lake.land('rows', 'a', textOf(format, 0, 3));
      await lake.land('rows', 'b', textOf(format, 1, 4_997));
      await lake.land('rows', 'c', textOf(format, 2, 3));
      const result = await lake.run();
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
      assert.deepEqual(
        result.rejected_files.map(({ file }) => file),
        ['bronze/p/rows/b'],
      );
      assert.match(result.rejected_files[0]?.reason ?? '', /^SCHEMA_ERROR: .*more than 5000/);
      assert.deepEqual(await lake.rows('p_silver.rows', 'SELECT id FROM t ORDER BY id'), [{ id: 0 }, { id: 2 }]);
    } finally {
      lake.close();
    }
  }
});
