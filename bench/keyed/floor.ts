import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { openFloor } from '../floor.ts';

/**
 * A history rewritten by hand: the open rows of the changed keys are closed, their new rows added, all of it written
 * again. It trusts that every change is later than what is there, which a keyed merge does not:
 * `node floor.ts <changes.parquet> <output> <list of data files>`.
 */
const [changes = '', output = '', list = ''] = process.argv.slice(2);
const floor = await openFloor(output);
const files = JSON.parse(await readFile(list, 'utf8')) as readonly string[];
await floor.write(
  `WITH history AS (SELECT * FROM read_parquet(${quoteTexts(files)}, hive_partitioning = false)),
changes AS (SELECT * FROM read_parquet(${quoteText(changes)}))
SELECT h.* REPLACE (
  CASE WHEN h.is_current AND c.id IS NOT NULL THEN c.since ELSE h.valid_to END AS valid_to,
  h.is_current AND c.id IS NULL AS is_current
) FROM history h LEFT JOIN changes c ON h.id = c.id
UNION ALL
SELECT id, since, title, salary, note, since, NULL, true FROM changes`,
  join(output, 'silver.history.parquet'),
);
