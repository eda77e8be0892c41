import { InvalidInput } from '../../core/errors.ts';
import { modelFacts } from '../../query/catalog/model-facts.ts';
import { chosenTexts } from '../../query/chosen-texts.ts';
import { entryOf, type ModelEntry } from '../../report/models.ts';
import { DEFAULT_DAYS } from '../../report/status.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderCsv } from '../output/csv.ts';
import type { QueryFormat } from '../output/formats.ts';
import { formatDuration, formatUsd } from '../output/human.ts';
import { renderJson } from '../output/json.ts';
import { renderTable } from '../output/table.ts';
import { renderText } from '../output/text.ts';

export type ModelsOptions = { readonly format?: QueryFormat; readonly days?: number };

/** Lists the models of a pipeline, or of all, with their figures. */
export async function models(
  context: Context,
  pipeline: string | undefined,
  { format, days = DEFAULT_DAYS }: ModelsOptions,
): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const now = deps.clock.now().getTime();
  const entries: ModelEntry[] = [];
  let broken = false;
  for (const name of pipeline === undefined ? await listPipelines(pipelines) : [pipeline]) {
    try {
      const facts = await modelFacts(deps, await chosenTexts(deps, name), days);
      entries.push(...facts.map((fact) => entryOf(fact, now)));
    } catch (cause) {
      // One that does not compile hides no other.
      if (pipeline !== undefined || !(cause instanceof InvalidInput)) throw cause;
      broken = true;
      context.note(cause.message);
    }
  }
  const chosen = format ?? (context.options.json ? 'json' : 'table');
  await context.printData(RENDERERS[chosen](entries, context));
  return broken ? EXIT.wrongUse : EXIT.done;
}

type Renderer = (entries: readonly ModelEntry[], context: Context) => string;

const RENDERERS: Readonly<Record<QueryFormat, Renderer>> = {
  json: (entries) => renderJson(entries),
  csv: (entries) =>
    renderCsv(
      entries.map(flat),
      COLUMNS.map((name) => ({ name })),
    ),
  table: (entries, context) => {
    if (entries.length === 0) return `no models in ${context.options.pipelines}; try ${context.hint('init')}\n`;
    const rows = entries.map(shown);
    const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, whole: name === 'model' }));
    const texts = entries.flatMap(({ model, text }) =>
      text === undefined ? [] : [`${model} is made by ${renderText(text)}\n`],
    );
    return `${renderTable(rows, columns, context.layout)}${texts.join('')}`;
  },
};

const COLUMNS = [
  ...[
    'model',
    'owner',
    'tier',
    'description',
    'inputs',
    'outputs',
    'schedule',
    'last_run',
    'last_run_at',
    'last_status',
  ],
  ...['runs', 'p95_ms', 'cost_usd', 'freshness_ms'],
];

/** Lists are parted by a space, which is in no name. */
function flat({
  inputs,
  outputs,
  last_run,
  few: _few,
  pipeline: _pipeline,
  layer: _layer,
  columns: _columns,
  text: _text,
  ...rest
}: ModelEntry) {
  return {
    ...rest,
    inputs: inputs.join(' '),
    outputs: outputs.join(' '),
    last_run: last_run?.run_id ?? null,
    last_run_at: last_run?.finished_at ?? null,
    last_status: last_run?.status ?? null,
  };
}

function shown(entry: ModelEntry) {
  const { model, owner, tier, schedule, inputs, outputs, last_run, p95_ms, few, runs, cost_usd, freshness_ms } = entry;
  return {
    model,
    owner,
    tier,
    description: entry.description,
    inputs: inputs.join(', '),
    outputs: outputs.filter((name) => name !== model).join(', '),
    schedule,
    'last run': last_run === null ? null : `${last_run.status} ${last_run.finished_at}`,
    p95: p95_ms === null ? null : `${formatDuration(p95_ms)}${few ? ` (of ${runs})` : ''}`,
    cost: cost_usd === null ? null : formatUsd(cost_usd),
    freshness: freshness_ms === null ? null : formatDuration(freshness_ms),
  };
}
