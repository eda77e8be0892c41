import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteText, quoteTexts } from '../../lib/sql/quote.ts';
import { openFloor } from '../floor.ts';

/** A full join of the files of two tables that only counts: `node floor.ts <output> <files of one> <files of the other>`, as JSON. */
const [output = '', was = '[]', now = '[]'] = process.argv.slice(2);
const floor = await openFloor(output);
const files = (list: string): string =>
  `(SELECT *, true AS here FROM read_parquet(${quoteTexts(JSON.parse(list) as readonly string[])}, hive_partitioning = false))`;
const others = ['customer_id', 'product_id', 'quantity', 'amount', 'city', 'day', 'at'];
const changed = others.map((name) => `l.${name} IS DISTINCT FROM r.${name}`).join(' OR ');
await floor.run(`CREATE TABLE counts AS SELECT count(*) FILTER (l.here IS NULL) AS added,
  count(*) FILTER (r.here IS NULL) AS removed, count(*) FILTER (l.here AND r.here AND (${changed})) AS changed
FROM ${files(was)} l FULL JOIN ${files(now)} r ON l.id = r.id`);
const counts = join(output, 'diff-counts.json');
await floor.run(`COPY counts TO ${quoteText(counts)} (FORMAT json)`);
process.stdout.write(await readFile(counts, 'utf8'));
