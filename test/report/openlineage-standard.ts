import { z } from 'zod';

/**
 * What the standard asks of an event, in words of our own: its object model, and of each facet that we send the fields which it must have and
 * the types of those that it may. Source: openlineage.io/spec, OpenLineage.json 2-0-2 and the facets beside it.
 */

const uri = z.string().regex(/^[a-z][a-z0-9+.-]*:\S+$/i);
const instant = z.iso.datetime();
const integer = z.number().int();
const count = integer.optional();

const inputField = z.object({
  namespace: z.string(),
  name: z.string(),
  field: z.string(),
  transformations: z.array(z.object({ type: z.enum(['DIRECT', 'INDIRECT']) })).optional(),
});

const job = { namespace: z.string().min(1), name: z.string().min(1) };
const run = { runId: z.guid() };
const statistics = { rowCount: count, size: count, fileCount: count };
const described = { description: z.string() };

/** By the name of their schema: where a facet belongs, under which name, and its fields. */
const FACETS = {
  ParentRunFacet: ['run', 'parent', { run: z.object(run), job: z.object(job) }],
  ProcessingEngineRunFacet: ['run', 'processing_engine', { version: z.string(), name: z.string().optional() }],
  ErrorMessageRunFacet: ['run', 'errorMessage', { message: z.string(), programmingLanguage: z.string() }],
  NominalTimeRunFacet: ['run', 'nominalTime', { nominalStartTime: instant, nominalEndTime: instant.optional() }],
  JobTypeJobFacet: [
    ...(['job', 'jobType'] as const),
    { processingType: z.string(), integration: z.string(), jobType: z.string().optional() },
  ],
  SQLJobFacet: ['job', 'sql', { query: z.string(), dialect: z.string().optional() }],
  DocumentationJobFacet: ['job', 'documentation', described],
  OwnershipJobFacet: [
    ...(['job', 'ownership'] as const),
    { owners: z.array(z.object({ name: z.string(), type: z.string().optional() })) },
  ],
  DatasetVersionDatasetFacet: ['dataset', 'version', { datasetVersion: z.string() }],
  DocumentationDatasetFacet: ['dataset', 'documentation', described],
  SchemaDatasetFacet: [
    ...(['dataset', 'schema'] as const),
    {
      fields: z.array(
        z.object({
          ...{ name: z.string(), type: z.string().optional(), description: z.string().optional() },
          ordinal_position: integer.positive().optional(),
        }),
      ),
    },
  ],
  ColumnLineageDatasetFacet: [
    ...(['dataset', 'columnLineage'] as const),
    {
      fields: z.record(z.string(), z.object({ inputFields: z.array(inputField) })),
      dataset: z.array(inputField).optional(),
    },
  ],
  DataQualityMetricsDatasetFacet: [
    ...(['dataset', 'dataQualityMetrics'] as const),
    {
      rowCount: count,
      columnMetrics: z.record(
        z.string(),
        z.object({
          ...{ nullCount: count, distinctCount: count, min: z.number().optional(), max: z.number().optional() },
        }),
      ),
    },
  ],
  InputStatisticsInputDatasetFacet: ['input', 'inputStatistics', statistics],
  OutputStatisticsOutputDatasetFacet: ['output', 'outputStatistics', statistics],
} as const;

type Place = (typeof FACETS)[keyof typeof FACETS][0];

/** Facets of a kind by their names. One that the standard has not is a mistake, and so is a field that its schema has not: a typo would be lost. */
function facetsOf(place: Place) {
  const known = Object.entries(FACETS).flatMap(([schema, [where, name, fields]]) => {
    const address = new RegExp(
      `^https://openlineage\\.io/spec/facets/\\d+-\\d+-\\d+/${schema}\\.json#/\\$defs/${schema}$`,
    );
    const facet = z.strictObject({ _producer: uri, _schemaURL: z.string().regex(address), ...fields });
    return where === place ? [[name, facet.optional()] as const] : [];
  });
  return z.strictObject(Object.fromEntries(known));
}

const dataset = { namespace: z.string().min(1), name: z.string().min(1), facets: facetsOf('dataset') };

const RUN_EVENT = z.strictObject({
  eventTime: instant,
  eventType: z.enum(['START', 'COMPLETE', 'ABORT', 'FAIL', 'OTHER']),
  producer: uri,
  schemaURL: z.literal('https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'),
  run: z.strictObject({ ...run, facets: facetsOf('run') }),
  job: z.strictObject({ ...job, facets: facetsOf('job') }),
  inputs: z.array(z.strictObject({ ...dataset, inputFacets: facetsOf('input') })),
  outputs: z.array(z.strictObject({ ...dataset, outputFacets: facetsOf('output') })),
});

/** What is wrong with the events of some runs: of each, and with their order, since a run starts once and ends once. */
export function wrongByStandard(events: readonly unknown[]): readonly string[] {
  const read = events.map((event) => RUN_EVENT.safeParse(event));
  const wrong = read.flatMap(({ error }, at) =>
    error === undefined ? [] : [`event ${at}: ${z.prettifyError(error)}`],
  );
  const states = Map.groupBy(
    read.flatMap(({ data }) => data ?? []),
    (event) => event.run.runId,
  );
  const unended = [...states].flatMap(([id, of]) => {
    const types = of.map(({ eventType }) => eventType).filter((type) => type !== 'OTHER');
    return types.length === 2 && types[0] === 'START' && types[1] !== 'START' ? [] : [`run ${id}: ${types.join(', ')}`];
  });
  return [...wrong, ...unended];
}
