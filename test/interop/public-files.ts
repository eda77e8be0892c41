import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { type DescribedTable, describeTable, openLake, withSession } from './lakes.ts';

const execute = promisify(execFile);
const TYPES: Readonly<Record<string, string>> = {
  BIGINT: 'bigint',
  DOUBLE: 'double',
  VARCHAR: 'string',
  TIMESTAMP: 'timestamp',
};

type Column = { readonly source: string; readonly as: string; readonly type: string };

/** A file that others wrote, the table it became, and the name each of its columns has there. */
type Taken = {
  readonly input: string;
  readonly table: DescribedTable;
  readonly columns: Readonly<Record<string, string>>;
};

/** The Parquet files of pyarrow's own tests, each landed as it is in a source that declares its columns. */
export async function writePublicFiles(root: string, python: string): Promise<{ readonly files: readonly Taken[] }> {
  const locate = 'import os, pyarrow; print(os.path.join(os.path.dirname(pyarrow.__file__), "tests/data/parquet"))';
  const folder = (await execute(python, ['-c', locate])).stdout.trim();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet')).sort();
  if (names.length === 0) throw new Error(`no Parquet files in ${folder}`);
  const lake = await openLake(root, join(root, 'pipelines'));
  const columns: (readonly Column[])[] = [];
  for (const [i, name] of names.entries()) {
    const target = join(root, 'bronze/public', `f${i}`);
    await mkdir(target, { recursive: true });
    await copyFile(join(folder, name), join(target, name));
    // Where it has landed: sessions of a lake see nothing else.
    columns.push(await columnsOf(lake, join(target, name)));
  }
  await writePipeline(join(root, 'pipelines', 'public'), columns);
  const answer = await lake.run({ pipeline: 'public' });
  if (answer.kind !== 'ended' || answer.result.rejected_files.length > 0) throw new Error(JSON.stringify(answer));
  const files: Taken[] = [];
  for (const [i, name] of names.entries()) {
    const table = await describeTable(lake, { pipeline: 'public', layer: 'silver', name: `f${i}` }, []);
    const renamed = Object.fromEntries((columns[i] ?? []).map((column) => [column.source, column.as]));
    files.push({ input: join(folder, name), table, columns: renamed });
  }
  return { files };
}

async function columnsOf(lake: Awaited<ReturnType<typeof openLake>>, path: string): Promise<readonly Column[]> {
  const text = `SELECT * FROM read_parquet(${quoteText(path)})`;
  const described = await withSession(lake, (session) => session.describe({ name: 'columns', text: userSql(text) }));
  return described.map(({ name, type }, i) => {
    const declared = TYPES[type];
    if (declared === undefined) throw new Error(`${path}: no type for ${name}, which is ${type}`);
    return { source: name, as: `c${i}`, type: declared };
  });
}

async function writePipeline(folder: string, files: readonly (readonly Column[])[]): Promise<void> {
  const source = (columns: readonly Column[]): string =>
    `parquet({ columns: ${JSON.stringify(Object.fromEntries(columns.map(({ source, as, type }) => [source, { type, as }])))} })`;
  const define = new URL('../../lib/define/index.ts', import.meta.url).pathname;
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'pipeline.ts'),
    `import { definePipeline, parquet } from ${JSON.stringify(define)};
export default definePipeline({
  name: 'public',
  sources: { ${files.map((columns, i) => `f${i}: ${source(columns)}`).join(', ')} },
  silver: { ${files.map((_, i) => `f${i}: { from: 'f${i}' }`).join(', ')} },
});
`,
  );
}
