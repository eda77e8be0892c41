import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocksOf, missingLines, withoutChance } from '../../docs/blocks.ts';
import { openProject } from '../../docs/project.ts';
import { useDatabase } from './databases.ts';

const database = useDatabase();

test('docs/postgres.md: what is run prints what stands there', async () => {
  const blocks = blocksOf('docs/postgres.md');
  const project = openProject('postgres');
  let printed: string | undefined;
  try {
    for (const { text, options, language } of blocks) {
      if (options['file'] !== undefined) project.write(options['file'], text);
      if (options['by'] !== 'test:servers') continue;
      const url = database.server.url();
      if (language === 'sh') printed = await project.run(`export REPORTS_URL='${url}' SALES_URL='${url}'\n${text}`);
      else if (language === 'sql') printed = text.startsWith('SELECT') ? await rowsOf(text) : await made(text);
      else assert.deepEqual(missingLines(withoutChance(text), withoutChance(printed ?? '')), [], printed);
    }
    assert.ok(printed !== undefined);
    const listed = await project.run('npx strata tables');
    assert.doesNotMatch(listed, /behind/);
    // What is not served says so, with the name of the secret, and is served by the next run.
    project.write('wednesday.csv', 'id,name,office,since\n9,Di,Ulm,2026-11-02\n');
    const failed = await project.run('npx strata land staff employees wednesday.csv\nnpx strata run staff', 2);
    assert.match(failed, /its tables are published, but they could not be served; the next run serves them/);
    assert.match(failed, /no secret REPORTS_URL: expected the URL of a PostgreSQL/);
    assert.match(
      await project.run('npx strata tables'),
      /hr\.employees is behind staff_silver\.employees: no secret REPORTS_URL/,
    );
    await project.run(`REPORTS_URL='${database.server.url()}' npx strata run staff`);
    assert.equal((await database.rows('hr', 'employees'))?.length, 4);
  } finally {
    project.close();
  }
});

async function rowsOf(text: string): Promise<string> {
  const rows = await database.query(text);
  return rows.map((row) => `${Object.values(row).map(textOf).join(' | ')}\n`).join('');
}

async function made(text: string): Promise<string> {
  await database.query(text);
  return '';
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? `{${value.join(',')}}` : String(value);
}
