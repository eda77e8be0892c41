import { createHash } from 'node:crypto';
import type { BookRow, QualityRow, RecordedRun } from '../../core/facts.ts';
import type { JsonValue } from '../../core/json-value.ts';
import { RELEASE } from '../../core/release.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { datasetFacets, type Places, readFacets, writtenFacets } from './datasets.ts';
import { facet, PRODUCER } from './facet.ts';

export type { Places } from './datasets.ts';

export type OpenLineageEvent = { readonly [key: string]: JsonValue };

const EVENT = 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent';
const ENDS: Readonly<Record<string, string>> = { SUCCEEDED: 'COMPLETE', FAILED: 'FAIL', UNDONE: 'ABORT' };

/**
 * A run as OpenLineage tells of it: the job of the pipeline, and below it one for each model that had work, each with a START and
 * an end, in the order of their times. The same run gives the same events, whenever it is asked for.
 */
export function openLineageEvents(
  spec: PipelineSpec,
  recorded: RecordedRun,
  places: Places,
): readonly OpenLineageEvent[] {
  const { run } = recorded;
  const runId = uuidOf(spec.name, text(run['run_id']));
  const own = {
    run: { runId, facets: runFacets(run) },
    job: { namespace: places.namespace, name: spec.name, facets: pipelineFacets(spec) },
    inputs: [],
    outputs: [],
  };
  const ended = { eventTime: instant(run['finished_at']), eventType: endOf(run) };
  const events = [
    event({ eventTime: instant(run['started_at']), eventType: 'START' }, own),
    ...recorded.model_runs.flatMap((row) => modelEvents(spec, recorded, row, { places, runId })),
    event(ended, own),
  ];
  return events.sort((a, b) => compare(text(a['eventTime']), text(b['eventTime'])));
}

type Below = { readonly places: Places; readonly runId: string };

function modelEvents(
  spec: PipelineSpec,
  recorded: RecordedRun,
  row: BookRow,
  { places, runId }: Below,
): readonly OpenLineageEvent[] {
  const id = text(row['model']);
  const model = spec.models.find((one) => one.id === id);
  const rows = recorded.lineage.filter((one) => one['model'] === id);
  const of = (action: string): readonly BookRow[] => rows.filter((one) => one['action'] === action);
  const parent = facet('ParentRunFacet', '1-2-0', {
    run: { runId },
    job: { namespace: places.namespace, name: spec.name },
  });
  const job = {
    run: {
      runId: uuidOf(spec.name, text(row['run_id']), id),
      facets: { parent, ...engineFacet(), ...errorFacet(row) },
    },
    job: { namespace: places.namespace, name: `${spec.name}.${id}`, facets: modelFacets(spec, model) },
  };
  const inputs = of('read').map((one) => dataset(places, spec, one, { inputFacets: readFacets(one) }));
  const outputs = of('write').map((one) => {
    const quality = recorded.quality.filter((column) => column.table === one['table_or_source']);
    return dataset(places, spec, one, { outputFacets: writtenFacets(one), facets: { model, quality } });
  });
  const begun = { eventTime: instant(row['started_at']), eventType: 'START' };
  const ended = { eventTime: instant(row['finished_at']), eventType: endOf(row) };
  return [event(begun, { ...job, inputs: [], outputs: [] }), event(ended, { ...job, inputs, outputs })];
}

type More = {
  readonly inputFacets?: OpenLineageEvent;
  readonly outputFacets?: OpenLineageEvent;
  readonly facets?: { readonly model: ModelSpec | undefined; readonly quality: readonly QualityRow[] };
};

function dataset(places: Places, spec: PipelineSpec, row: BookRow, { facets, ...more }: More): OpenLineageEvent {
  const name = datasetName(text(row['table_or_source']));
  return { namespace: places.namespace, name, facets: datasetFacets(places, spec, row, facets), ...more };
}

/** `retail.transactions` is a source in the books, `retail_silver.sales` a table. */
function datasetName(written: string): string {
  const [first = '', second = ''] = written.split('.');
  return /_(?:silver|gold|ops)$/.test(first) ? written : `bronze/${first}/${second}`;
}

function event(
  when: { readonly eventTime: string; readonly eventType: string },
  what: OpenLineageEvent,
): OpenLineageEvent {
  return { ...when, ...what, producer: PRODUCER, schemaURL: EVENT };
}

function runFacets(run: BookRow): OpenLineageEvent {
  const date = run['run_date'];
  const nominal =
    typeof date === 'string'
      ? { nominalTime: facet('NominalTimeRunFacet', '1-0-1', { nominalStartTime: `${date.slice(0, 10)}T00:00:00Z` }) }
      : {};
  return { ...engineFacet(), ...nominal, ...errorFacet(run) };
}

function engineFacet(): OpenLineageEvent {
  return { processing_engine: facet('ProcessingEngineRunFacet', '1-1-1', { version: RELEASE, name: 'strata' }) };
}

function errorFacet({ error }: BookRow): OpenLineageEvent {
  if (error === null || error === undefined) return {};
  return {
    errorMessage: facet('ErrorMessageRunFacet', '1-0-1', { message: text(error), programmingLanguage: 'SQL' }),
  };
}

function pipelineFacets({ description, owner }: PipelineSpec): OpenLineageEvent {
  return { ...jobType('DAG'), ...documented(description), ...owned(owner) };
}

function modelFacets({ owner }: PipelineSpec, model: ModelSpec | undefined): OpenLineageEvent {
  // That of silver is rewritten for our own ends.
  const sql =
    model?.layer !== 'gold' ? {} : { sql: facet('SQLJobFacet', '1-1-0', { query: model.sql, dialect: 'duckdb' }) };
  return { ...jobType('MODEL'), ...sql, ...documented(model?.description ?? null), ...owned(owner) };
}

function jobType(kind: string): OpenLineageEvent {
  const type = { processingType: 'BATCH', integration: 'STRATA', jobType: kind };
  return { jobType: facet('JobTypeJobFacet', '2-0-4', type) };
}

function documented(description: string | null): OpenLineageEvent {
  if (description === null) return {};
  return { documentation: facet('DocumentationJobFacet', '1-1-0', { description }) };
}

function owned(owner: string | null): OpenLineageEvent {
  return owner === null ? {} : { ownership: facet('OwnershipJobFacet', '1-0-1', { owners: [{ name: owner }] }) };
}

function endOf(row: BookRow): string {
  return ENDS[text(row['status'])] ?? 'OTHER';
}

/** A UUID that follows from names: version 8, whose bits are the application's. Source: rfc-editor.org/rfc/rfc9562 */
function uuidOf(...names: readonly string[]): string {
  const hex = createHash('sha256').update(names.join('\u0000')).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** `2026-11-30 20:49:08.666+00` as ISO has it. */
function instant(value: JsonValue | undefined): string {
  const found = new Date(
    text(value)
      .replace(' ', 'T')
      .replace(/([+-]\d\d)$/, '$1:00'),
  );
  return found.toISOString();
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
