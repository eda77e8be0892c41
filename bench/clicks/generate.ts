import { join } from 'node:path';
import type { Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

export type Clicks = {
  readonly rows: number;
  readonly files: number;
  /** One account has a fifth of the rows; else all have as many. */
  readonly hot: boolean;
};

const ACCOUNTS = 100_000;

/** Writes `<folder>/<nth>.csv`, about 45 bytes a row. Always the same rows. */
export async function generateClicks(session: Session, folder: string, clicks: Clicks): Promise<void> {
  const each = Math.ceil(clicks.rows / clicks.files);
  for (let nth = 0; nth < clicks.files; nth += 1) {
    const to = Math.min(clicks.rows, (nth + 1) * each);
    const account = `CAST(1 + md5_number_lower('account' || i) % ${ACCOUNTS} AS INTEGER)`;
    const query = `SELECT i AS id, ${clicks.hot ? `CASE WHEN i % 5 = 0 THEN 1 ELSE ${account} END` : account} AS account,
  TIMESTAMP '2026-01-01' + to_seconds(i // 10) AS clicked, 'page-' || (i % 997) AS page, CAST(i * 7919 % 10000 AS INTEGER) AS cents
FROM range(${nth * each}, ${to}) AS ids(i)`;
    const path = quoteText(join(folder, `${String(nth).padStart(5, '0')}.csv`));
    await session.run({ name: 'clicks', text: userSql(`COPY (${query}) TO ${path} (FORMAT csv, HEADER true)`) });
  }
}
