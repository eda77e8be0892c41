import { join } from 'node:path';
import { quoteTexts } from '../../lib/sql/quote.ts';
import { openFloor } from '../floor.ts';
import { questionText } from './tables.ts';

/** One DuckDB answers questions over the data files of the tables: `node floor.ts <files by table, as JSON> <output> <question> ...`. */
const [files = '{}', output = '', ...questions] = process.argv.slice(2);
const floor = await openFloor(output);
await floor.run('CREATE SCHEMA silver');
for (const [table, paths] of Object.entries(JSON.parse(files) as Record<string, readonly string[]>))
  await floor.run(
    `CREATE VIEW silver.${table} AS SELECT * FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false)`,
  );
for (const table of questions) await floor.write(await questionText(table), join(output, `${table}.parquet`));
