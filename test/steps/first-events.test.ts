import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { openFirst } from '../../lib/steps/merge/first-events.ts';
import { KEYED } from '../support/keyed-mode.ts';

const MODE: KeyedMode = { ...KEYED, kind: 'scd2', sequence: 'seq' };

const scratch = mkdtempSync(join(tmpdir(), 'strata-first-events-'));
after(() => rm(scratch, { recursive: true }));

type Opened = { readonly staged: number; readonly several: readonly unknown[]; readonly grouped: boolean };

/** Events of a query as the first of some buckets: how many there are, which keys have several, and whether they were grouped. */
async function open(select: string, columns: readonly Column[], key: readonly string[] = ['id']): Promise<Opened> {
  await using session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 2, scratch });
  const done: string[] = [];
  const watched: Session = Object.assign(Object.create(session), {
    run: (statement: Parameters<Session['run']>[0]) => {
      done.push(statement.name);
      return session.run(statement);
    },
    rows: session.rows.bind(session),
  });
  const staged = await openFirst(watched, { ...MODE, key }, columns, userSql(`(${select})`));
  const text = userSql('SELECT id::VARCHAR AS id FROM __new ORDER BY ALL');
  const several = (await session.rows({ name: 'several', text })).map((row) => row['id']);
  return { staged, several, grouped: done.includes('keys_of_several_events') };
}

const BIGINT: readonly Column[] = [{ name: 'id', type: { kind: 'bigint' } }];
const INT: readonly Column[] = [{ name: 'id', type: { kind: 'int' } }];
const STRING: readonly Column[] = [{ name: 'id', type: { kind: 'string' } }];

test('keys of whole numbers near each other that all differ are not grouped', async () => {
  const alone = { staged: 3_000, several: [], grouped: false };
  assert.deepEqual(await open('SELECT i AS id FROM range(3000) t(i)', BIGINT), alone);
  assert.deepEqual(await open('SELECT (i * 16 - 20000)::INTEGER AS id FROM range(3000) t(i)', INT), alone);
  const least = '(-9223372036854775808)::BIGINT + i';
  assert.deepEqual(await open(`SELECT ${least} AS id FROM range(3000) t(i)`, BIGINT), alone);
  const greatest = '9223372036854775807::BIGINT - i';
  assert.deepEqual(await open(`SELECT ${greatest} AS id FROM range(3000) t(i)`, BIGINT), alone);
});

test('a key that has several events is found wherever it lies', async () => {
  for (const again of [0, 1_234, 2_999])
    assert.deepEqual(await open(`SELECT i AS id FROM range(3000) t(i) UNION ALL SELECT ${again}`, BIGINT), {
      staged: 3_001,
      several: [String(again), String(again)],
      grouped: true,
    });
});

test('keys that lie far apart, of texts or of several columns are grouped', async () => {
  const far = 'SELECT * FROM (VALUES ((-9223372036854775808)::BIGINT), (9223372036854775807)) t(id)';
  assert.deepEqual(await open(far, BIGINT), { staged: 2, several: [], grouped: true });
  const texts = "SELECT * FROM (VALUES ('a'), ('b'), ('a')) t(id)";
  assert.deepEqual(await open(texts, STRING), { staged: 3, several: ['a', 'a'], grouped: true });
  const pairs = 'SELECT * FROM (VALUES (1, 1), (1, 2), (2, 1)) t(id, seq)';
  assert.deepEqual(await open(pairs, INT, ['id', 'seq']), { staged: 3, several: [], grouped: true });
});

test('no events at all have no keys', async () => {
  assert.deepEqual((await open('SELECT i AS id FROM range(0) t(i)', BIGINT)).several, []);
});
