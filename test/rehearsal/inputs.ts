import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Upload } from './uploads.ts';

/** Three uploads of a pipeline: the first, one that merges into it, and one more. */
export type Batches = readonly [readonly Upload[], readonly Upload[], readonly Upload[]];

/** Real files, where they lie beside the project. */
const REAL = join(import.meta.dirname, '..', '..', '..', 'shared', 'data');

/** Pipelines that can be rehearsed. */
export const REHEARSED = ['online_retail', 'hr', 'transactions'] as const;
export type Rehearsed = (typeof REHEARSED)[number];

/** The files of a pipeline: real ones if they are there, else generated ones in `folder`. */
export async function inputsOf(
  pipeline: Rehearsed,
  folder: string,
): Promise<{ readonly batches: Batches; readonly real: boolean }> {
  switch (pipeline) {
    case 'online_retail':
      return inThirds(join(REAL, 'retail'), 'lines', () => generate(folder, invoiceFile));
    case 'transactions':
      return inThirds(join(REAL, 'transactions'), 'transactions', () => generate(folder, transactionFile));
    case 'hr':
      return employeeFiles(folder);
  }
}

async function inThirds(
  real: string,
  source: string,
  make: () => Promise<string>,
): Promise<{ batches: Batches; real: boolean }> {
  const isReal = existsSync(real);
  const folder = isReal ? real : await make();
  const files = (await readdir(folder)).filter((file) => file.endsWith('.csv')).sort();
  const uploads = files.map((file) => ({ source, path: join(folder, file) }));
  const half = Math.ceil(uploads.length / 2);
  return { batches: [uploads.slice(0, half), uploads.slice(half, -1), uploads.slice(-1)], real: isReal };
}

async function employeeFiles(folder: string): Promise<{ batches: Batches; real: boolean }> {
  const real = join(REAL, 'hr');
  if (existsSync(real)) {
    const at = (source: string, file: string): Upload => ({ source, path: join(real, file) });
    const first = [at('employee_timeframe', 'employee_timeframe_data.csv')];
    const second = [at('employee_timeframe', 'employee_timeframe_data_1.csv')];
    return { batches: [first, second, [at('employees', 'employee.csv')]], real: true };
  }
  await mkdir(folder, { recursive: true });
  const write = async (source: string, name: string, lines: readonly string[]): Promise<Upload> => {
    const path = join(folder, name);
    await writeFile(path, `${lines.join('\n')}\n`);
    return { source, path };
  };
  const header = 'emp_id,designation,start_date,end_date,salary';
  const day = 86_400;
  const record = (n: number, from: number): string =>
    `${n},${n % 3 === 0 ? 'Staff' : 'Engineer'},${(n + from) * day},,${1_000 + n + from}`;
  const numbers = Array.from({ length: 400 }, (_, n) => n);
  const people = numbers.map((n) => `${n},1980-01-01,First${n},Last${n},${n % 2 === 0 ? 'M' : 'F'},2010-01-01`);
  return {
    batches: [
      [await write('employee_timeframe', 'first.csv', [header, ...numbers.map((n) => record(n, 0))])],
      [await write('employee_timeframe', 'second.csv', [header, ...numbers.slice(0, 100).map((n) => record(n, 50))])],
      [await write('employees', 'people.csv', ['emp_no,birth_date,first_name,last_name,gender,hire_date', ...people])],
    ],
    real: false,
  };
}

const DAYS = 6;
const ROWS = 300;

async function generate(folder: string, file: (day: number) => readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (let day = 1; day <= DAYS; day += 1) {
    await writeFile(join(folder, `2010-12-0${day}.csv`), `${file(day).join('\n')}\n`);
  }
  return folder;
}

function invoiceFile(day: number): readonly string[] {
  const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
  const rows = Array.from({ length: ROWS }, (_, n) => {
    const invoice = `${n % 40 === 0 ? 'C' : ''}${536_000 + day * 1_000 + Math.floor(n / 5)}`;
    const customer = n % 7 === 0 ? '' : `${17_000 + (n % 50)}.0`;
    return `${invoice},S${n % 90},"LAMP, ${n % 90}",${(n % 9) + 1},2010-12-0${day} 08:${10 + (n % 50)}:00,${(n % 30) + 0.5},${customer},${n % 4 === 0 ? 'France' : 'United Kingdom'}`;
  });
  return [header, ...rows, rows[0] ?? ''];
}

function transactionFile(day: number): readonly string[] {
  const header = 'TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp';
  const rows = Array.from({ length: ROWS }, (_, n) => {
    const customer = n % 7 === 0 ? '' : `C${n % 50}`;
    return `T${day}-${n},${customer},${(n % 90) + 0.25},${n % 3 === 0 ? 'EUR' : 'GBP'},2010-12-0${day}T08:${10 + (n % 50)}:00`;
  });
  return [header, ...rows, rows[0] ?? ''];
}
