import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { generateRetail, parseRetailOptions } from '../../generate/retail.ts';
import type { GeneratedFile } from '../../generate/sample.ts';
import { samplePipelines } from '../../package-files.ts';
import type { Row } from '../../ports.ts';
import { listTables } from '../../query/list-tables.ts';
import { firstRows } from '../../query/select.ts';
import { landFiles } from '../../runtime/land-files.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { commandHere } from '../command-here.ts';
import type { Context } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatQuantity } from '../output/human.ts';
import { runDocument, runText } from '../output/run-answer.ts';
import { renderTable } from '../output/table.ts';
import { reportEnd, runPipeline } from './run.ts';

const PIPELINE = 'retail';
/** Takes files of the user's own, where the demo runs in the repository. */
const OTHER = 'online_retail';
const SHOWN_ROWS = 10;

/** Takes the generated sample through the retail pipeline and shows its gold. A second demo finds nothing new. */
export async function runDemo(given: Context): Promise<number> {
  const context = await withSample(given);
  const { deps, make } = await openLake(context, 'write');
  const spec = await deps.specs(PIPELINE);
  await make();
  await landSample(context, deps);
  const request = { pipeline: PIPELINE };
  const answer = await runPipeline(context, request);
  if (answer.kind === 'ended' && answer.result.status === 'FAILED') {
    await context.answer({ run: answer.result, tables: {} }, () => '');
    return reportEnd(context, answer, request);
  }
  const gold = await readGold(deps, spec);
  const next = await nextSteps(context);
  const tables = Object.fromEntries(gold.map(({ table, rows }) => [table, rows]));
  await context.answer({ run: runDocument(request, answer), tables }, () =>
    [runText(context, request, answer), ...gold.map((one) => renderGold(context, one)), next].join('\n'),
  );
  return reportEnd(context, answer, request);
}

/** The pipeline of that name, if the user has one, else the package's own. */
async function withSample(context: Context): Promise<Context> {
  const own = await listPipelines(context.options.pipelines);
  return own.includes(PIPELINE) ? context : context.withPipelines(relative(process.cwd(), samplePipelines()));
}

async function landSample(context: Context, deps: LocalLake['deps']): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'strata-demo-'));
  try {
    await using session = await deps.engine.open({ ...deps.settings, folders: undefined });
    const files = await generateRetail(parseRetailOptions({ out }), session);
    const landed = [];
    for (const source of new Set(files.map((file) => file.table))) {
      const paths = files.filter((file) => file.table === source).map((file) => file.path);
      landed.push(...(await landFiles(deps, { pipeline: PIPELINE, source, files: paths }, { skipEqual: true })));
    }
    const fresh = landed.filter((one) => one.status !== 'unchanged').length;
    context.note(
      fresh === 0
        ? 'the sample had landed before'
        : `generated and landed ${sampleSize(files)} in ${context.options.root}`,
    );
  } finally {
    await rm(out, { recursive: true });
  }
}

function sampleSize(files: readonly GeneratedFile[]): string {
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  return `${formatQuantity(rows, 'row')} in ${formatQuantity(files.length, 'file')}`;
}

type Gold = {
  readonly table: string;
  readonly description: string | null;
  readonly count: number;
  readonly rows: readonly Row[];
};

async function readGold(deps: LocalLake['deps'], spec: PipelineSpec): Promise<readonly Gold[]> {
  const sizes = new Map((await listTables(deps)).map((table) => [table.name, table.rows]));
  const gold: Gold[] = [];
  for (const { layer, name, description } of spec.models) {
    const id: TableId = { pipeline: spec.name, layer, name };
    const count = sizes.get(fullName(id));
    if (layer !== 'gold' || count === undefined) continue;
    const rows = await firstRows(deps, id, SHOWN_ROWS);
    gold.push({ table: fullName(id), description, count, rows });
  }
  return gold;
}

function renderGold({ layout }: Context, { table, description, count, rows }: Gold): string {
  const which = count > rows.length ? ` (the first ${rows.length} of ${formatQuantity(count, 'row')})` : '';
  return `${table}${which}${description === null ? '' : `\n${description}`}\n${renderTable(rows, undefined, layout)}`;
}

async function nextSteps({ hint, options: { pipelines } }: Context): Promise<string> {
  const others = (await listPipelines(pipelines)).includes(OTHER);
  const steps = [
    ['ask the tables anything', 'query "SELECT region, sum(revenue) FROM retail_gold.monthly_revenue GROUP BY region"'],
    ['run again: there is nothing new to do', 'run retail'],
    ['see every table, and what one is made of', 'tables'],
    ['', 'describe retail_silver.sales'],
    ...(others
      ? [
          ['your own invoice files, with the other pipeline', `land ${OTHER} lines invoices/*.csv`],
          ['', `plan ${OTHER}`],
          ['', `run ${OTHER}`],
        ]
      : []),
  ];
  return [
    'try next:',
    ...steps.flatMap(([why, command = '']) => [...(why === '' ? [] : [`  # ${why}`]), `  ${hint(command)}`]),
    '',
    `${join(pipelines, PIPELINE)} declares these tables; ${commandHere()} init lake makes a project of your own`,
    '',
  ].join('\n');
}
