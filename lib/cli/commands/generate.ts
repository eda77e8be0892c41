import { type GeneratedFile, generateRetail, parseRetailOptions } from '../../generate/retail.ts';
import { requireFolder } from '../../runtime/lake-folder.ts';
import { shellWord } from '../command-here.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatCount, formatQuantity } from '../output/human.ts';

/** Writes the retail sample. `arguments_` are the options as given on the command line. */
export async function generate(context: Context, arguments_: Readonly<Record<string, unknown>>): Promise<number> {
  const options = parseRetailOptions(arguments_);
  const { deps } = await openLake(context, 'read');
  await requireFolder(options.out, '--out');
  await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
  const files = await generateRetail(options, session);
  await context.answer({ out: options.out, files }, () => renderGenerated(context, options.out, files));
  return EXIT.done;
}

function renderGenerated(context: Context, out: string, files: readonly GeneratedFile[]): string {
  const tables = [...new Set(files.map((file) => file.table))];
  const lines = tables.map((table) => {
    const own = files.filter((file) => file.table === table);
    const rows = own.reduce((sum, file) => sum + file.rows, 0);
    const bytes = own.reduce((sum, file) => sum + file.bytes, 0);
    return `  ${table}: ${formatCount(rows)} rows in ${formatQuantity(own.length, 'file')}, ${formatBytes(bytes)}`;
  });
  const next = tables.map((table) => `  ${context.hint(`land retail ${table} ${shellWord(out)}/${table}/*.csv`)}`);
  return [`generated in ${out}:`, ...lines, '', 'next:', ...next, `  ${context.hint('run retail')}`, ''].join('\n');
}
