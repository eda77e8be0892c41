import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hiveType, metadataLocationOf, renderTableInput } from '../../../lib/adapters/catalog/glue-table-input.ts';
import { parseColumnType } from '../../../lib/core/types.ts';
import { freshType } from '../../../lib/iceberg/schema.ts';
import type { Schema, TableMetadata } from '../../../lib/iceberg/types.ts';
import { sampleMetadata } from '../../ports/sample-metadata.ts';

const ID = { pipeline: 'p', layer: 'silver', name: 't' } as const;

describe('the Hive type of', () => {
  const cases: readonly [type: string, hive: string][] = [
    ['boolean', 'boolean'],
    ['int', 'int'],
    ['bigint', 'bigint'],
    ['float', 'float'],
    ['double', 'double'],
    ['decimal(38,10)', 'decimal(38,10)'],
    ['date', 'date'],
    ['timestamp', 'timestamp'],
    ['timestamptz', 'timestamp'],
    ['string', 'string'],
    ['binary', 'binary'],
    ['list<bigint>', 'array<bigint>'],
    ['struct<a: int, b: list<struct<c: decimal(9,0)>>>', 'struct<a:int,b:array<struct<c:decimal(9,0)>>>'],
  ];
  for (const [type, hive] of cases) {
    it(type, () => {
      const parsed = parseColumnType(type);
      assert.ok(parsed);
      assert.equal(hiveType(freshType(parsed, () => 1)), hive);
    });
  }

  for (const [type, hive] of [
    ['time', 'string'],
    ['uuid', 'string'],
    ['fixed[16]', 'binary'],
  ] as const) {
    it(`${type}, which others' tables may have`, () => assert.equal(hiveType(type), hive));
  }
});

function metadataWith(...schemas: Schema[]): TableMetadata {
  return {
    ...sampleMetadata('s3://lake/silver/p/t'),
    schemas,
    'current-schema-id': schemas.at(-1)?.['schema-id'] ?? 0,
  };
}

const field = (id: number, name: string, doc?: string) => ({
  id,
  name,
  required: id === 1,
  type: 'long',
  ...(doc === undefined ? {} : { doc }),
});

describe('a table as Glue gets it', () => {
  it('is an external Iceberg table at its location with its columns', () => {
    const schema: Schema = { type: 'struct', 'schema-id': 3, fields: [field(1, 'id', 'The key'), field(2, 'n')] };
    assert.deepEqual(renderTableInput(ID, metadataWith(schema), 's3://lake/m.json'), {
      Name: 't',
      TableType: 'EXTERNAL_TABLE',
      Parameters: { table_type: 'ICEBERG', metadata_location: 's3://lake/m.json' },
      StorageDescriptor: {
        Location: 's3://lake/silver/p/t',
        Columns: [
          {
            Name: 'id',
            Type: 'bigint',
            Comment: 'The key',
            Parameters: {
              'iceberg.field.id': '1',
              'iceberg.field.optional': 'false',
              'iceberg.field.current': 'true',
            },
          },
          {
            Name: 'n',
            Type: 'bigint',
            Parameters: {
              'iceberg.field.id': '2',
              'iceberg.field.optional': 'true',
              'iceberg.field.current': 'true',
            },
          },
        ],
      },
    });
  });

  it('has the columns of older schemas behind the current ones, each name once ignoring case', () => {
    const old: Schema = { type: 'struct', 'schema-id': 0, fields: [field(1, 'ID'), field(2, 'gone'), field(3, 'n')] };
    const now: Schema = { type: 'struct', 'schema-id': 1, fields: [field(4, 'n'), field(1, 'id')] };
    const columns = renderTableInput(ID, metadataWith(old, now), 'x').StorageDescriptor?.Columns ?? [];
    assert.deepEqual(
      columns.map((column) => [
        column.Name,
        column.Parameters?.['iceberg.field.id'],
        column.Parameters?.['iceberg.field.current'],
      ]),
      [
        ['n', '4', 'true'],
        ['id', '1', 'true'],
        ['gone', '2', 'false'],
      ],
    );
  });

  it('tags columns that are personal, in the comment where they have none of their own', () => {
    const fields = [field(1, 'id'), field(2, 'email'), field(3, 'born', 'a day')];
    const table = metadataWith({ type: 'struct', 'schema-id': 0, fields });
    const tagged = { ...table, properties: { ...table.properties, 'strata.personal-columns': '["email","born"]' } };
    const columns = renderTableInput(ID, tagged, 'x').StorageDescriptor?.Columns ?? [];
    assert.deepEqual(
      columns.map(({ Name, Comment, Parameters }) => [Name, Comment, Parameters?.['strata.personal']]),
      [
        ['id', undefined, undefined],
        ['email', 'personal', 'true'],
        ['born', 'a day', 'true'],
      ],
    );
  });

  const comments: readonly [why: string, doc: string, comment: string | undefined][] = [
    ['none for an empty one', '', undefined],
    ['one line of several', ' a\n\tb\r\n c ', 'a b c'],
    ['all of 255 characters', 'x'.repeat(255), 'x'.repeat(255)],
    ['254 characters and an ellipsis of 256', 'x'.repeat(256), `${'x'.repeat(254)}…`],
    ['no half of a character at the cut', `${'x'.repeat(253)}🚀🚀`, `${'x'.repeat(253)}…`],
  ];
  for (const [why, doc, comment] of comments) {
    it(`has as a column's comment ${why}`, () => {
      const schema: Schema = { type: 'struct', 'schema-id': 0, fields: [field(1, 'id', doc)] };
      assert.equal(renderTableInput(ID, metadataWith(schema), 'x').StorageDescriptor?.Columns?.[0]?.Comment, comment);
    });
  }

  it('keeps what others gave to the table and names the previous metadata', () => {
    const existing = {
      Name: 't',
      Description: 'orders',
      Owner: 'sales',
      Retention: 3,
      VersionId: '7',
      Parameters: {
        classification: 'pii',
        metadata_location: 'old',
        previous_metadata_location: 'older',
        table_type: 'iceberg',
      },
    };
    const input = renderTableInput(ID, sampleMetadata(), 'new', existing);
    assert.deepEqual(input.Parameters, {
      classification: 'pii',
      metadata_location: 'new',
      previous_metadata_location: 'old',
      table_type: 'ICEBERG',
    });
    assert.deepEqual([input.Description, input.Owner, input.Retention], ['orders', 'sales', 3]);
    assert.ok(!('VersionId' in input));
  });
});

describe('the metadata location of a Glue table', () => {
  const cases: readonly [parameters: Record<string, string> | undefined, location: string | undefined][] = [
    [{ table_type: 'ICEBERG', metadata_location: 'm' }, 'm'],
    [{ table_type: 'iceberg', metadata_location: 'm' }, 'm'],
    [{ table_type: 'DELTA', metadata_location: 'm' }, undefined],
    [{ metadata_location: 'm' }, undefined],
    [{ table_type: 'ICEBERG' }, undefined],
    [undefined, undefined],
  ];
  for (const [Parameters, location] of cases) {
    it(`with ${JSON.stringify(Parameters)} is ${location}`, () => {
      assert.equal(metadataLocationOf({ Name: 't', Parameters }), location);
    });
  }
});
