import { join } from 'node:path';
import { quoteText } from '../../lib/sql/quote.ts';
import { openFloor } from '../floor.ts';
import { OWN_BUCKETS, ownBucket } from './own-table.ts';

/**
 * A history rewritten by hand: the open rows of the changed keys are closed, their new rows added, all of it written
 * again, as files of its key buckets or, with `flat`, as one file. It trusts that every change is later than what is
 * there, which a keyed merge does not: `node floor.ts <changes.parquet> <output> <folder of the table> bucketed|flat`.
 */
const [changes = '', output = '', table = '', layout = ''] = process.argv.slice(2);
const floor = await openFloor(output);
const rewritten = `WITH history AS (SELECT * FROM read_parquet(${quoteText(join(table, '**', '*.parquet'))}, hive_partitioning = false)),
changes AS (SELECT * FROM read_parquet(${quoteText(changes)}))
SELECT h.* REPLACE (
  CASE WHEN h.is_current AND c.id IS NOT NULL THEN c.since ELSE h.valid_to END AS valid_to,
  h.is_current AND c.id IS NULL AS is_current
) FROM history h LEFT JOIN changes c ON h.id = c.id
UNION ALL
SELECT id, since, title, salary, note, since, NULL, true FROM changes`;
if (layout === 'flat') await floor.write(rewritten, join(output, 'silver.history.parquet'));
else {
  const bucketed = `SELECT *, ${ownBucket('id')} AS ${OWN_BUCKETS.column} FROM (${rewritten})`;
  await floor.write(bucketed, join(output, 'silver.history'), [OWN_BUCKETS.column]);
}
