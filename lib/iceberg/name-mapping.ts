import { z } from 'zod';
import { UnreadableTable } from '../core/errors.ts';
import type { FileValue } from '../core/file-values.ts';
import type { ParquetField } from './parquet-schema.ts';
import type { IcebergType, NestedField } from './types.ts';

/** The table property that says by which names the fields of files without field ids are found. */
export const NAME_MAPPING = 'schema.name-mapping.default';

/** A field id, or none, and the names that stand for it, with what is nested in it; a list's element is `element`. */
export type MappedField = {
  readonly 'field-id'?: number | undefined;
  readonly names: readonly string[];
  readonly fields?: readonly MappedField[] | undefined;
};

const mappedField: z.ZodType<MappedField> = z.object({
  'field-id': z.number().int().optional(),
  names: z.array(z.string()),
  fields: z.lazy(() => z.array(mappedField)).optional(),
});

/**
 * Reads the JSON of a name mapping. Throws UnreadableTable, which names the table, when it is no mapping.
 * Source: https://iceberg.apache.org/spec/#name-mapping-serialization.
 */
export function parseNameMapping(text: string, where: string): readonly MappedField[] {
  const parsed = z.array(mappedField).safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new UnreadableTable(
    `${where}: the property ${NAME_MAPPING} is no name mapping: got ${text.slice(0, 100)}; expected a JSON array of ` +
      `{"field-id", "names", "fields"}. ${z.prettifyError(parsed.error)}`,
  );
}

/** A mapping in which fields of the top, by their ids, go by one more name. */
export function nameInMapping(text: string, where: string, names: ReadonlyMap<number, string>): string {
  const mapping = parseNameMapping(text, where).map((field) => {
    const name = field['field-id'] === undefined ? undefined : names.get(field['field-id']);
    return name === undefined || field.names.includes(name) ? field : { ...field, names: [...field.names, name] };
  });
  return JSON.stringify(mapping);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How fields of the table find theirs in a file: by field id or by the names of a mapping. */
type Finder = (id: number, among: readonly ParquetField[]) => ParquetField | undefined;
type Level = { readonly find: Finder; readonly below: (id: number) => Level };

/** By the ids that the file itself has. */
const BY_ID: Level = { find: (id, among) => among.find((one) => one.fieldId === id), below: () => BY_ID };

function byName(mapping: readonly MappedField[]): Level {
  const mapped = new Map(mapping.flatMap((one) => (one['field-id'] === undefined ? [] : [[one['field-id'], one]])));
  return {
    find: (id, among) => {
      const names = mapped.get(id)?.names ?? [];
      return among.find((one) => names.includes(one.name));
    },
    below: (id) => byName(mapped.get(id)?.fields ?? []),
  };
}

/**
 * Where each of the table's fields lies in a file, by name in the table; with a mapping the file's own ids, if any, do
 * not count. Source: https://iceberg.apache.org/spec/#column-projection.
 */
export function locateFields(
  fields: readonly NestedField[],
  file: readonly ParquetField[],
  mapping: readonly MappedField[] | undefined,
): readonly { readonly name: string; readonly id: number; readonly value: FileValue }[] {
  return locate(fields, file, mapping === undefined ? BY_ID : byName(mapping));
}

function locate(
  fields: readonly NestedField[],
  file: readonly ParquetField[],
  level: Level,
): readonly { readonly name: string; readonly id: number; readonly value: FileValue }[] {
  return fields.map(({ name, id, type }) => {
    const found = level.find(id, file);
    return { name, id, value: found === undefined ? { kind: 'absent' } : fileValue(type, found, level.below(id)) };
  });
}

function fileValue(type: IcebergType, found: ParquetField, below: Level): FileValue {
  const { name } = found;
  if (typeof type === 'string') return { kind: 'whole', name };
  if (type.type === 'struct') {
    const fields = locate(type.fields, found.fields, below).map(({ name, value }) => ({ name, value }));
    return { kind: 'struct', name, fields };
  }
  const id = type['element-id'];
  const element = found.element === undefined ? undefined : below.find(id, [found.element]);
  if (element === undefined) return { kind: 'absent' };
  return { kind: 'list', name, element: fileValue(type.element, element, below.below(id)) };
}
