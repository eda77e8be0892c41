import type { Column, Table, TableInput } from '@aws-sdk/client-glue';
import { listedIn, PERSONAL_COLUMNS } from '../../core/personal.ts';
import type { TableId } from '../../core/tables.ts';
import type { IcebergType, NestedField, TableMetadata } from '../../iceberg/types.ts';

/** Glue's limit for the comment of a column, in characters: https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html */
const COMMENT_LIMIT = 255;

/** What a table in the Glue Data Catalog says when it points to Iceberg metadata. */
export const METADATA_LOCATION = 'metadata_location';
const PREVIOUS_METADATA_LOCATION = 'previous_metadata_location';
const TABLE_TYPE = 'table_type';

/** Where the table's current metadata lies; `undefined` for a table that is not Iceberg's. */
export function metadataLocationOf(table: Table): string | undefined {
  const isIceberg = table.Parameters?.[TABLE_TYPE]?.toUpperCase() === 'ICEBERG';
  return isIceberg ? table.Parameters?.[METADATA_LOCATION] : undefined;
}

/**
 * The Glue table that points to metadata at `location`. Keeps the parameters, description, owner and retention that
 * others gave to the table `existing`, since an update replaces all of them.
 * Source: how Iceberg's own Glue catalogs (Java, PyIceberg) write it; Athena and Spark read `table_type` and
 * `metadata_location`, the rest is what people see in the console.
 */
export function renderTableInput(
  id: TableId,
  metadata: TableMetadata,
  location: string,
  existing?: Table | undefined,
): TableInput {
  const previous = existing?.Parameters?.[METADATA_LOCATION];
  return {
    Name: id.name,
    TableType: 'EXTERNAL_TABLE',
    ...kept(existing),
    Parameters: {
      ...existing?.Parameters,
      [TABLE_TYPE]: 'ICEBERG',
      [METADATA_LOCATION]: location,
      ...(previous === undefined ? {} : { [PREVIOUS_METADATA_LOCATION]: previous }),
    },
    StorageDescriptor: { Location: metadata.location, Columns: renderColumns(metadata) },
  };
}

function kept(existing: Table | undefined): Partial<TableInput> {
  return {
    ...(existing?.Description === undefined ? {} : { Description: existing.Description }),
    ...(existing?.Owner === undefined ? {} : { Owner: existing.Owner }),
    ...(existing?.Retention === undefined ? {} : { Retention: existing.Retention }),
  };
}

/** The current columns, then those of older schemas that are no longer there. Glue ignores case in names. */
function renderColumns(metadata: TableMetadata): Column[] {
  const currentId = metadata['current-schema-id'];
  const schemas = [...metadata.schemas].sort((a, b) => rank(a['schema-id']) - rank(b['schema-id']));
  const columns = new Map<string, Column>();
  const personal = new Set(listedIn(metadata.properties, PERSONAL_COLUMNS));
  for (const schema of schemas) {
    for (const field of schema.fields) {
      const key = field.name.toLowerCase();
      const current = schema['schema-id'] === currentId;
      if (!columns.has(key)) columns.set(key, renderColumn(field, current, personal.has(field.name)));
    }
  }
  return [...columns.values()];

  function rank(schemaId: number): number {
    return schemaId === currentId ? 0 : 1;
  }
}

/** What is personal says so where people and their policies look: in the comment, if there is no other, and as a parameter. */
function renderColumn(field: NestedField, current: boolean, personal: boolean): Column {
  const { doc = '' } = field;
  const comment = doc === '' && personal ? 'personal' : doc;
  return {
    Name: field.name,
    Type: hiveType(field.type),
    ...(comment === '' ? {} : { Comment: renderComment(comment) }),
    Parameters: {
      'iceberg.field.id': String(field.id),
      'iceberg.field.optional': String(!field.required),
      'iceberg.field.current': String(current),
      ...(personal ? { 'strata.personal': 'true' } : {}),
    },
  };
}

/** Glue refuses comments that are long or have more than one line. */
function renderComment(doc: string): string {
  const line = doc.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  if (line.length <= COMMENT_LIMIT) return line;
  const end = line.slice(0, COMMENT_LIMIT - 1).replace(/[\ud800-\udbff]$/, '');
  return `${end}…`;
}

/**
 * The Hive type that Glue, Athena and Spark show for an Iceberg type; Hive has no time and no uuid, so they are strings.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html
 */
export function hiveType(type: IcebergType): string {
  if (typeof type === 'string') return hivePrimitive(type);
  if (type.type === 'list') return `array<${hiveType(type.element)}>`;
  return `struct<${type.fields.map((field) => `${field.name}:${hiveType(field.type)}`).join(',')}>`;
}

function hivePrimitive(type: string): string {
  if (type.startsWith('decimal')) return type.replaceAll(' ', '');
  if (type.startsWith('fixed')) return 'binary';
  switch (type) {
    case 'long':
      return 'bigint';
    case 'timestamptz':
      return 'timestamp';
    case 'time':
    case 'uuid':
      return 'string';
    default:
      return type;
  }
}
