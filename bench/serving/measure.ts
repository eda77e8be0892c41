import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../lib/adapters/postgres/client.ts';
import { connectPostgres } from '../../lib/adapters/postgres/connect.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { copyIn } from '../../lib/sql/postgres/tables.ts';
import { copyServed } from '../../lib/sql/serve/rows.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { startPostgres } from '../../test/servers/postgres/postgres-server.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Sample } from '../figures.ts';
import { freshFolder, WORK } from '../folders.ts';
import { compareTimes } from '../rounds.ts';

const ROWS = 1_000_000;
const PER_STATEMENT = 1_000;
/** COPY has to be ten times as fast. */
const BOUND = 0.1;
const WHY =
  'Both send text; what COPY saves is the parsing and planning of statements, of which the server does the most.';
/** Of /proc/<pid>/stat. Source: man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICK_MS = 10;

const COLUMNS = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'name', type: { kind: 'string' } },
  { name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2 } },
  { name: 'seen', type: { kind: 'timestamp' } },
  { name: 'note', type: { kind: 'string' } },
] as const;

/** Rows into an empty table of PostgreSQL: as a run copies them, and by INSERT of 1,000 rows at a time, in one transaction each. */
export async function measureServing(bench: Bench): Promise<Measured> {
  const folder = await freshFolder(join(WORK, 'serving'));
  const path = join(folder, 'rows.csv');
  const from = sql`(SELECT i AS id, 'person ' || i AS name, CAST(i % 100000 AS DECIMAL(12,2)) / 7 AS amount, TIMESTAMP '2026-01-01' + to_seconds(i) AS seen, CASE WHEN i % 3 = 0 THEN NULL ELSE 'note of ' || i END AS note FROM range(${ROWS}) r(i))`;
  const typed = sql`(SELECT id, name, CAST(amount AS DECIMAL(12,2)) AS amount, seen, note FROM ${from})`;
  await bench.session.run(copyServed(typed, COLUMNS, path));
  const values = sql`SELECT string_agg('(' || id || ', ''' || name || ''', ' || amount || ', ''' || seen || ''', ' || coalesce('''' || note || '''', 'NULL') || ')', ', ' ORDER BY id) AS row FROM ${typed} GROUP BY id // ${PER_STATEMENT} ORDER BY min(id)`;
  const inserts = (await bench.session.rows({ name: 'values', text: values })).map((one) => String(one['row']));
  await using server = await startPostgres();
  await using connection = await connectPostgres({ secret: 'BENCH', read: async () => server.url() });
  const copies: Sample[] = [];
  const inserted: Sample[] = [];
  for (let round = 0; round <= bench.rounds; round += 1) {
    const copy = await measured(connection, async () => {
      await connection.copyIn(
        copyIn(
          't',
          COLUMNS.map(({ name }) => name),
        ),
        path,
      );
    });
    const insert = await measured(connection, async () => {
      for (const rows of inserts)
        await connection.run({ name: 'insert', text: sql`INSERT INTO t VALUES ${userSql(rows)}` });
    });
    bench.log(`serving, round ${round}: COPY ${copy.ms.toFixed(0)} ms, INSERT ${insert.ms.toFixed(0)} ms`);
    // In the first round caches may be cold.
    if (round === 0) continue;
    copies.push(copy);
    inserted.push(insert);
  }
  const megabytes = ((await stat(path)).size / 1e6).toFixed(0);
  const title = `${ROWS.toLocaleString('en-US')} rows, ${megabytes} MB, into PostgreSQL by COPY, against INSERT of ${PER_STATEMENT.toLocaleString('en-US')} rows`;
  return { figures: compareTimes(title, copies, inserted, BOUND, WHY), fingerprints: [], skipped: [] };
}

async function measured(connection: Connection, work: () => Promise<void>): Promise<Sample> {
  const run = (text: Sql) => connection.run({ name: 'bench', text });
  await run(sql`CREATE TEMP TABLE t (id bigint, name text, amount numeric(12,2), seen timestamp, note text)`);
  const [row] = await run(sql`SELECT pg_backend_pid() AS pid`);
  const backend = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${row?.['pid']}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  };
  const [before, own, began] = [await backend(), process.cpuUsage(), performance.now()];
  await run(sql`BEGIN`);
  await work();
  await run(sql`COMMIT`);
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(own);
  const cpuMs = (await backend()) - before + (user + system) / 1000;
  const [count] = await run(sql`SELECT count(*)::int AS n FROM t`);
  if (count?.['n'] !== ROWS) throw new Error(`got ${count?.['n']} rows; expected ${ROWS}`);
  await run(sql`DROP TABLE t`);
  return { ms, cpuMs, peakBytes: null };
}
