import { join } from 'node:path';
import type { Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import type { Fingerprint, FingerprintSpec } from '../fingerprint.ts';
import { freshFolder, WORK } from '../folders.ts';
import { readFolder } from '../read-tables.ts';

/** Fingerprints of the tables or views in a DuckDB file, by way of Parquet. `name`: that views know their database by. */
export async function readDatabase(
  session: Session,
  path: string,
  name: string,
  tables: readonly FingerprintSpec[],
): Promise<readonly Fingerprint[]> {
  const output = await freshFolder(join(WORK, 'database'));
  const run = (what: string, text: string): Promise<void> => session.run({ name: what, text: userSql(text) });
  await run('attach', `ATTACH ${quoteText(path)} AS ${name} (READ_ONLY)`);
  for (const { table } of tables) {
    const to = quoteText(join(output, `${table}.parquet`));
    await run(table, `COPY (SELECT * FROM ${name}.${table}) TO ${to} (FORMAT parquet)`);
  }
  await run('detach', `DETACH ${name}`);
  return readFolder(session, output, tables);
}
