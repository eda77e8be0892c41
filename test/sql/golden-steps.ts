import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Sql } from '../../lib/core/sql-text.ts';
import type { Statement } from '../../lib/core/statement.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/** A statement with its golden file, and the rows it answers; steps run one after the other in one session. */
export type Step = {
  readonly golden: string;
  readonly statement: Statement;
  readonly rows?: readonly Row[];
  readonly check?: (rows: readonly Row[]) => void;
};

/** In statements, `in/` and `out/` stand for folders; here they are those of this run. */
export function testSteps(files: Readonly<Record<string, string | Uint8Array>>, steps: () => readonly Step[]): void {
  let folder: string;
  let session: Session;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strata-sql-'));
    for (const [name, content] of Object.entries(files)) {
      const local = typeof content === 'string' ? content.replaceAll('"in/', `"${folder}/`) : content;
      await writeFile(join(folder, name), local);
    }
    session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 1, scratch: folder });
  });

  after(async () => {
    await session[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  for (const { golden, statement, rows, check } of steps()) {
    test(`${golden}: ${statement.name}`, async () => {
      const path = new URL(`golden/${golden}.sql`, import.meta.url);
      // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
      if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, `${statement.text}\n`);
      assert.equal(`${statement.text}\n`, await readFile(path, 'utf8'));
      const text = statement.text.replaceAll(/'(in|out)\//g, `'${folder}/`);
      const found = await session.rows({ name: statement.name, text: userSql(text) });
      const shown = found.map((row) => JSON.parse(JSON.stringify(row).replaceAll(`${folder}/`, 'in/')) as Row);
      if (rows !== undefined) assert.deepEqual(shown, rows);
      check?.(shown);
    });
  }
}

/** A statement of a relation, to golden and run what is only a part of others. */
export function selectFrom(name: string, relation: Sql): Statement {
  return { name, text: sql`SELECT * FROM ${relation}` };
}
