import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';

/** A file to upload: `bronze/<pipeline>/<source>/<name>`. */
export type Landing = { readonly source: string; readonly path: string };

/** What lands, in the order in which it does: a first upload, a second that merges into it, and a third. */
export type Uploads = readonly [readonly Landing[], readonly Landing[], readonly Landing[]];

/** Real files, where this machine has them. */
const DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

/** Writes a pipeline's uploads below `folder`. Throws an Error for a pipeline that has none here. */
export async function uploadsFor(pipeline: string, folder: string): Promise<Uploads> {
  await mkdir(folder, { recursive: true });
  switch (pipeline) {
    case 'online_retail':
      return dailyUploads('lines', join(DATA, 'retail'), folder, generatedLines);
    case 'transactions':
      return dailyUploads('transactions', join(DATA, 'transactions'), folder, generatedTransactions);
    case 'hr':
      return hrUploads(folder);
    case 'retail':
      return retailUploads(folder);
    default:
      throw new Error(`no files to rehearse ${pipeline} with: teach test/rehearsal/uploads.ts`);
  }
}

/** Files of days; the second upload brings one of the first again, under another name. */
async function dailyUploads(
  source: string,
  real: string,
  folder: string,
  generate: (day: number) => string,
): Promise<Uploads> {
  const paths = await realOrGenerated(real, folder, generate);
  const again = join(folder, 'once-more.csv');
  await copyFile(paths[0] ?? '', again);
  const landings = paths.map((path) => ({ source, path }));
  return [landings.slice(0, -3), [...landings.slice(-3, -1), { source, path: again }], landings.slice(-1)];
}

async function realOrGenerated(
  real: string,
  folder: string,
  generate: (day: number) => string,
): Promise<readonly string[]> {
  const names = (await readdir(real).catch(() => [])).filter((name) => name.endsWith('.csv')).sort();
  if (names.length > 3) return names.map((name) => join(real, name));
  const days = numbers(LAST_DAY).map((n) => n + 1);
  return Promise.all(days.map((day) => write(folder, `2011-01-0${day}.csv`, generate(day))));
}

async function hrUploads(folder: string): Promise<Uploads> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(DATA, 'hr', name), 'utf8').catch(() => undefined);
  const history = (await read('employee_timeframe_data.csv')) ?? generatedHistory(0);
  const changes = (await read('employee_timeframe_data_1.csv')) ?? generatedHistory(1);
  const [header = '', ...rows] = changes.trimEnd().split(/\r?\n/);
  const half = Math.ceil(rows.length / 2);
  const part = (lines: readonly string[]): string => [header, ...lines, ''].join('\n');
  const landing = async (source: string, name: string, text: string): Promise<Landing> => ({
    source,
    path: await write(folder, name, text),
  });
  return [
    [
      await landing('employees', 'employee.csv', (await read('employee.csv')) ?? generatedPeople()),
      await landing('employee_timeframe', 'history.csv', history),
    ],
    [await landing('employee_timeframe', 'changes-1.csv', part(rows.slice(0, half)))],
    [await landing('employee_timeframe', 'changes-2.csv', part(rows.slice(half)))],
  ];
}

async function retailUploads(folder: string): Promise<Uploads> {
  const session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 2, scratch: folder });
  try {
    const files = await generateRetail(parseRetailOptions({ out: join(folder, 'retail') }), session);
    const landings = files.map(({ table, path }) => ({ source: table, path }));
    return [landings.slice(0, -2), landings.slice(-2, -1), landings.slice(-1)];
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

async function write(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const LAST_DAY = 6;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
const csv = (header: string, rows: readonly string[]): string => `${[header, ...rows].join('\n')}\n`;

function generatedLines(day: number): string {
  const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
  const line = (n: number): string => {
    const customer = n % 5 === 0 ? '' : `${17_850 + (n % 40)}.0`;
    const country = n % 3 === 0 ? 'France' : 'United Kingdom';
    const invoice = n % 50 === 0 ? `C${day}${n}` : `${day}${n}`;
    return `${invoice},SKU${n % 90},"Item, no. ${n % 90}",${1 + (n % 12)},2011-01-0${day} 10:00:00,${n % 9}.25,${customer},${country}`;
  };
  // The last day is larger than a small unit.
  return csv(header, numbers(day === LAST_DAY ? 2_000 : 500).map(line));
}

function generatedTransactions(day: number): string {
  const row = (n: number): string => {
    const customer = n % 11 === 0 ? '' : String(100 + (n % 40));
    return `${day}-${n},${customer},${(n % 90) - 10}.50,GBP,2011-01-0${day}T10:00:00Z`;
  };
  return csv('TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp', numbers(500).map(row));
}

function generatedPeople(): string {
  const row = (n: number): string => `${n},1960-01-02,First${n},Last${n},${n % 2 === 0 ? 'F' : 'M'},1990-03-04`;
  return csv('emp_no,birth_date,first_name,last_name,gender,hire_date', numbers(300).map(row));
}

function generatedHistory(part: number): string {
  const from = (n: number): number => (part * 1_000 + n) * 86_400;
  const row = (n: number): string => `${n},${n % 4 === 0 ? 'Manager' : 'Engineer'},${from(n)},,${1_000 + n + part}`;
  return csv('emp_id,designation,start_date,end_date,salary', numbers(300).map(row));
}
