import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteTexts } from '../../lib/sql/quote.ts';
import { openFloor } from '../floor.ts';

/** The files of each month into one file, and nothing else: `node floor.ts <input> <output>`, a folder for each month. */
const [input = '', output = ''] = process.argv.slice(2);
const floor = await openFloor(join(output, 'silver.events'));
for (const month of await readdir(input)) {
  const files = (await readdir(join(input, month))).map((name) => join(input, month, name));
  await floor.write(
    `SELECT * FROM read_parquet(${quoteTexts(files)}, hive_partitioning = false)`,
    join(output, 'silver.events', `${month}.parquet`),
  );
}
