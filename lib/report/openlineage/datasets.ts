import type { ColumnRef } from '../../core/column-origins.ts';
import { descriptionOf } from '../../core/described.ts';
import type { BookRow, QualityRow } from '../../core/facts.ts';
import type { JsonValue } from '../../core/json-value.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { renderColumnType } from '../../core/types.ts';
import { facet } from './facet.ts';

/** Where the lake is, which is the namespace of its jobs and datasets. */
export type Places = { readonly namespace: string };

type Json = { readonly [key: string]: JsonValue };

type Written = { readonly model: ModelSpec | undefined; readonly quality: readonly QualityRow[] };

/** Of a dataset that was read: its version. Of one that was written also columns, where they come from, and what is known of them. */
export function datasetFacets(places: Places, spec: PipelineSpec, row: BookRow, written?: Written): Json {
  const version = row['version'];
  const versioned =
    typeof version === 'string'
      ? { version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: version }) }
      : {};
  if (written?.model === undefined) return versioned;
  return { ...versioned, ...columnFacets(places, spec, written.model), ...qualityFacet(written.quality) };
}

export function readFacets({ files, rows, bytes }: BookRow): Json {
  const counted = counts({ rowCount: rows, size: bytes, fileCount: files });
  return { inputStatistics: facet('InputStatisticsInputDatasetFacet', '1-0-0', counted) };
}

export function writtenFacets({ files, rows, bytes }: BookRow): Json {
  const counted = counts({ rowCount: rows, size: bytes, fileCount: files });
  return { outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', counted) };
}

/** What was not counted is left out. */
function counts(values: Readonly<Record<string, JsonValue | undefined>>): Json {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const number = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
      return Number.isFinite(number) ? [[name, number]] : [];
    }),
  );
}

function saidOf(description: string | undefined): Json {
  return description === undefined ? {} : { description };
}

function columnFacets(places: Places, spec: PipelineSpec, model: ModelSpec): Json {
  const fields = model.columns.map(({ name, type }, at) => ({
    name,
    type: renderColumnType(type),
    ordinal_position: at + 1,
    ...saidOf(descriptionOf(model.described, name)),
  }));
  const { columns = {}, rows = [] } = model.origins ?? {};
  const lineage = {
    fields: Object.fromEntries(
      Object.entries(columns).map(([name, refs]) => [
        name,
        { inputFields: refs.map((ref) => inputField(places, spec, ref, DIRECT)) },
      ]),
    ),
    dataset: rows.map((ref) => inputField(places, spec, ref, INDIRECT)),
  };
  return {
    schema: facet('SchemaDatasetFacet', '1-2-0', { fields }),
    columnLineage: facet('ColumnLineageDatasetFacet', '1-2-0', lineage),
    ...(model.description === null
      ? {}
      : { documentation: facet('DocumentationDatasetFacet', '1-1-0', { description: model.description }) }),
  };
}

const DIRECT = { type: 'DIRECT' };
/** Conditions, keys of joins and of groups, limits. */
const INDIRECT = { type: 'INDIRECT' };

function inputField({ namespace }: Places, spec: PipelineSpec, [table, field]: ColumnRef, how: Json): Json {
  return { namespace, name: nameOf(spec, table), field, transformations: [how] };
}

/** The dataset that a model names: `batch.orders`, `silver.orders`, `retail.gold.sales`. */
function nameOf({ name }: PipelineSpec, table: string): string {
  const [first = '', second = '', third] = table.split('.');
  if (third !== undefined) return `${first}_${second}.${third}`;
  return first === 'batch' ? `bronze/${name}/${second}` : `${name}_${first}.${second}`;
}

/** The bounds that are numbers: the standard has no others. */
function qualityFacet(quality: readonly QualityRow[]): Json {
  const [first] = quality;
  if (first === undefined) return {};
  const columnMetrics = Object.fromEntries(
    quality.map(({ column, nulls, distinct_estimate, min, max }) => [
      column,
      counts({ nullCount: nulls, distinctCount: distinct_estimate, min, max }),
    ]),
  );
  const metrics = { ...counts({ rowCount: first.rows }), columnMetrics };
  return { dataQualityMetrics: facet('DataQualityMetricsDatasetFacet', '1-0-1', metrics) };
}
