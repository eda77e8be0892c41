import { type ResolvedField, resolveSpec, specById } from './partition.ts';
import { mayMatch, type Predicate, projectCondition, rangeOf, type ValueRange } from './predicate.ts';
import { currentSchema, fieldByName } from './schema.ts';
import type {
  DataFile,
  IcebergType,
  IcebergValue,
  ManifestFile,
  PartitionSummary,
  Schema,
  TableMetadata,
} from './types.ts';
import { decodeValue } from './values.ts';

/**
 * Which manifests and files can hold a row that meets every predicate. What is dropped certainly holds none.
 * Source: https://iceberg.apache.org/spec/#scan-planning.
 */
export type ScanFilter = {
  manifestMayMatch(manifest: ManifestFile): boolean;
  fileMayMatch(file: DataFile): boolean;
};

/** Plans a scan of a table. A predicate on a column that the table lacks, or on a nested one, excludes nothing. */
export function planScan(metadata: TableMetadata, predicates: readonly Predicate[]): ScanFilter {
  const schema = currentSchema(metadata);
  const specs = new Map<number, readonly ResolvedField[]>();
  const fieldsOf = (specId: number): readonly ResolvedField[] => {
    const fields = specs.get(specId) ?? resolveSpec(specById(metadata, specId), schema, ...metadata.schemas);
    specs.set(specId, fields);
    return fields;
  };
  const bound = predicates.flatMap((predicate) => bind(schema, predicate));
  return {
    manifestMayMatch: (manifest) =>
      fieldsOf(manifest.specId).every((field, at) => {
        const summary = manifest.partitions[at];
        return summary === undefined || partitionMayMatch(bound, field, summaryRange(field.type, summary));
      }),
    fileMayMatch: (file) =>
      fieldsOf(file.specId).every((field, at) =>
        partitionMayMatch(bound, field, rangeOf(file.partition[at] ?? null)),
      ) && bound.every(({ id, type, predicate }) => mayMatch(predicate, columnRange(type, id, file))),
  };
}

/** What may hold a row that meets all predicates of one of the alternatives; of none of them nothing does. */
export function planScans(metadata: TableMetadata, alternatives: readonly (readonly Predicate[])[]): ScanFilter {
  const filters = alternatives.map((predicates) => planScan(metadata, predicates));
  return {
    manifestMayMatch: (manifest) => filters.some((filter) => filter.manifestMayMatch(manifest)),
    fileMayMatch: (file) => filters.some((filter) => filter.fileMayMatch(file)),
  };
}

type BoundPredicate = { readonly id: number; readonly type: string; readonly predicate: Predicate };

function bind(schema: Schema, predicate: Predicate): readonly BoundPredicate[] {
  const field = fieldByName(schema, predicate.column);
  if (field === undefined || typeof field.type !== 'string') return [];
  return [{ id: field.id, type: field.type, predicate: field.type === 'float' ? withFloats(predicate) : predicate }];
}

/** SQL's 0.1 is a decimal that becomes a float when it meets one; as a double it would equal no float. */
function withFloats(predicate: Predicate): Predicate {
  const toFloat = (value: IcebergValue): IcebergValue => (typeof value === 'number' ? Math.fround(value) : value);
  if (predicate.op === 'isNull' || predicate.op === 'notNull') return predicate;
  if (predicate.op === 'in') return { ...predicate, values: predicate.values.map(toFloat) };
  return { ...predicate, value: toFloat(predicate.value) };
}

function partitionMayMatch(bound: readonly BoundPredicate[], field: ResolvedField, range: ValueRange): boolean {
  return bound
    .filter(({ id }) => id === field.sourceId)
    .every(({ predicate }) => {
      const projected = projectCondition(field.transform, field.source, predicate);
      return projected === undefined || mayMatch(projected, range);
    });
}

/** What a manifest's summary says of the values of one partition field. */
export function summaryRange(type: IcebergType, summary: PartitionSummary): ValueRange {
  const mayBeNan = isFloating(type) && summary.containsNan !== false;
  return {
    mayBeNull: summary.containsNull,
    mayBeValue: mayBeNan || summary.lower !== null || summary.upper !== null,
    mayBeNan,
    lower: summary.lower === null ? undefined : decodeValue(type, summary.lower),
    upper: summary.upper === null ? undefined : decodeValue(type, summary.upper),
  };
}

/** A column without counts was added after the file was written, or its writer kept none: anything is possible. */
export function columnRange(type: string, id: number, file: DataFile): ValueRange {
  const nulls = file.nullCounts.get(id);
  const values = file.valueCounts.get(id);
  const lower = file.lowerBounds.get(id);
  const upper = file.upperBounds.get(id);
  return {
    mayBeNull: nulls !== 0n,
    mayBeValue: nulls === undefined || values === undefined || nulls < values,
    mayBeNan: isFloating(type) && file.nanCounts.get(id) !== 0n,
    lower: lower === undefined ? undefined : decodeValue(type, lower),
    upper: upper === undefined ? undefined : decodeValue(type, upper),
  };
}

const isFloating = (type: IcebergType): boolean => type === 'float' || type === 'double';
