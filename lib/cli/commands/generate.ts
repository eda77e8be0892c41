import { generateCrypto, parseCryptoOptions } from '../../generate/crypto.ts';
import { generateHr, parseHrOptions } from '../../generate/hr.ts';
import { generateRetail, parseRetailOptions } from '../../generate/retail.ts';
import { generateSales, parseSalesOptions } from '../../generate/sales.ts';
import type { GeneratedFile } from '../../generate/sample.ts';
import type { Session } from '../../ports.ts';
import { requireFolder } from '../../runtime/lake-folder.ts';
import { shellWord } from '../command-here.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatCount, formatQuantity } from '../output/human.ts';

export type Sample = keyof typeof SAMPLES;

type Wanted = {
  readonly out: string;
  /** In the place of the next steps, where the pipeline of the sample does not read what was written. */
  readonly note?: string;
  /** What may be done besides, after the next steps. */
  readonly besides?: string;
  write(session: Session): Promise<readonly GeneratedFile[]>;
};

const CSV_SALES = 'the pipeline sales reads Parquet: for these files declare transactions with csv({ ... })';

const HR_SERVED =
  'nothing is served outside the lake; with the URL of a PostgreSQL in HR_POSTGRES, the run copies ten tables into its schema hr';

const SAMPLES = {
  retail: (given: unknown): Wanted => {
    const options = parseRetailOptions(given);
    return { out: options.out, write: (session) => generateRetail(options, session) };
  },
  hr: (given: unknown): Wanted => {
    const options = parseHrOptions(given);
    return { out: options.out, besides: HR_SERVED, write: (session) => generateHr(options, session) };
  },
  crypto: (given: unknown): Wanted => {
    const options = parseCryptoOptions(given);
    return { out: options.out, write: (session) => generateCrypto(options, session) };
  },
  sales: (given: unknown): Wanted => {
    const options = parseSalesOptions(given);
    const write: Wanted['write'] = (session) => generateSales(options, session);
    return options.format === 'csv' ? { out: options.out, write, note: CSV_SALES } : { out: options.out, write };
  },
};

/** Writes a sample. `arguments_` are the options as given on the command line. */
export async function generate(
  context: Context,
  sample: Sample,
  arguments_: Readonly<Record<string, unknown>>,
): Promise<number> {
  const wanted = SAMPLES[sample](arguments_);
  const { out } = wanted;
  const { deps } = await openLake(context, 'read');
  await requireFolder(out, '--out');
  await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
  const files = await wanted.write(session);
  await context.answer({ out, files }, () => renderGenerated(context, sample, wanted, files));
  return EXIT.done;
}

function renderGenerated(
  context: Context,
  sample: Sample,
  { out, note, besides }: Wanted,
  files: readonly GeneratedFile[],
): string {
  const tables = [...new Set(files.map((file) => file.table))];
  const lines = tables.map((table) => {
    const own = files.filter((file) => file.table === table);
    const rows = own.reduce((sum, file) => sum + file.rows, 0);
    const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
    return `  ${table}: ${formatCount(rows)} rows in ${formatQuantity(own.length, 'file')}, ${formatBytes(bytes)}`;
  });
  if (note !== undefined) return [`generated in ${out}:`, ...lines, '', note, ''].join('\n');
  const next = tables.map((table) => `  ${context.hint(`land ${sample} ${table} ${shellWord(out)}/${table}/*`)}`);
  const after = besides === undefined ? [] : [besides, ''];
  const run = `  ${context.hint(`run ${sample}`)}`;
  return [`generated in ${out}:`, ...lines, '', 'next:', ...next, run, '', ...after].join('\n');
}
