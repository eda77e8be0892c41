import { UnreadableTable } from '../core/errors.ts';
import { parseTransform } from './transforms.ts';
import type { IcebergType, TableMetadata } from './types.ts';

/** Property by which a later Strata can lock out one that would misread its table: names joined by commas. */
export const REQUIRED_FEATURES = 'strata.required-features';

const KNOWN_FEATURES: ReadonlySet<string> = new Set();

const PRIMITIVE =
  /^(boolean|int|long|float|double|date|time|timestamp|timestamptz|string|uuid|binary|fixed\[\d+\]|decimal\(\d+, ?\d+\))$/;

/**
 * Refuses a table that we would misread, before anything of it is used. Delete files show only in the manifest list
 * and are refused there. Throws UnreadableTable that names the feature.
 */
export function assertReadable(metadata: TableMetadata, where = 'table metadata'): void {
  const feature = unknownFeature(metadata);
  if (feature !== undefined) throw new UnreadableTable(`${where} uses ${feature}, which Strata does not read`);
}

function unknownFeature(metadata: TableMetadata): string | undefined {
  const required = (metadata.properties[REQUIRED_FEATURES] ?? '').split(',').map((name) => name.trim());
  const unknown = required.find((name) => name !== '' && !KNOWN_FEATURES.has(name));
  if (unknown !== undefined) return `the feature ${JSON.stringify(unknown)}`;
  if ('encryption-keys' in metadata || metadata.properties['encryption.key-id'] !== undefined) return 'encryption';
  if (metadata.snapshots.some((snapshot) => 'key-id' in snapshot)) return 'encrypted manifest lists';
  const type = metadata.schemas.flatMap((schema) => schema.fields).map((field) => unknownType(field.type));
  return type.find((one) => one !== undefined) ?? unknownTransform(metadata);
}

function unknownType(type: IcebergType): string | undefined {
  if (typeof type === 'string') return PRIMITIVE.test(type) ? undefined : `the type ${type}`;
  if (type.type === 'list') return unknownType(type.element);
  if (type.type === 'struct')
    return type.fields.map((field) => unknownType(field.type)).find((one) => one !== undefined);
  return `the type ${(type as { type: string }).type}`;
}

function unknownTransform(metadata: TableMetadata): string | undefined {
  const transforms = metadata['partition-specs'].flatMap((spec) => spec.fields.map((field) => field.transform));
  const unknown = transforms.find((text) => parseTransform(text) === undefined);
  return unknown === undefined ? undefined : `the partition transform ${unknown}`;
}
