import type { PartitionField } from '../../lib/core/spec.ts';
import { parseColumnType } from '../../lib/core/types.ts';
import { bucket, day, hour, identity, month, truncate, year } from '../../lib/define/index.ts';
import type { Statement } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { duckType } from '../../lib/sql/types.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/**
 * One row set with every supported type and the values that break readers: nulls, NaN, signed zeros and infinities,
 * the least and the greatest numbers, decimals of 38 digits, times before 1970, text that is long, empty, not ASCII or
 * looks like a path.
 */
type SampleColumn = { readonly type: string; readonly values: readonly string[] };

const LONG = "repeat('long text ', 30)";

export const SAMPLE_COLUMNS: Readonly<Record<string, SampleColumn>> = {
  c_boolean: { type: 'boolean', values: ['true', 'false', 'NULL'] },
  c_int: { type: 'int', values: ['0', '1', '-1', '17', '-17', '2147483647', '-2147483648', 'NULL'] },
  c_bigint: {
    type: 'bigint',
    values: ['0', '-1', '1000', '-1000', '9223372036854775807', '-9223372036854775000', 'NULL', '9007199254740993'],
  },
  c_float: { type: 'float', values: ["'nan'", '-0.0', '0.0', '0.1', "'inf'", '-3.4028235e38', '1e-45', 'NULL'] },
  c_double: {
    type: 'double',
    values: ["'nan'", '0.0', '-0.0', '0.1', "'-inf'", '1.7976931348623157e308', '5e-324', '-2.5', 'NULL'],
  },
  c_decimal9: { type: 'decimal(9,2)', values: ['0.00', '0.01', '-0.01', '1234567.89', '-9999989.99', 'NULL'] },
  c_decimal18: { type: 'decimal(18,6)', values: ['0', '-0.000001', '999999999999.999999', '-123456.789', 'NULL'] },
  c_decimal38: {
    type: 'decimal(38,10)',
    values: [
      `'${'9'.repeat(28)}.${'9'.repeat(10)}'`,
      `'-${'9'.repeat(28)}.${'9'.repeat(10)}'`,
      "'0.0000000001'",
      "'-1'",
      'NULL',
    ],
  },
  c_date: {
    type: 'date',
    values: '1970-01-01 1969-12-31 1969-11-30 0001-01-01 1582-10-04 1900-02-28 2000-02-29 2024-12-31 9999-12-31 NULL'
      .split(' ')
      .map(sqlText),
  },
  c_timestamp: {
    type: 'timestamp',
    values: [...times(''), 'NULL'],
  },
  c_timestamptz: {
    type: 'timestamptz',
    values: [...times('+00'), "'2024-03-31 01:30:00+05:30'", 'NULL'],
  },
  c_string: {
    type: 'string',
    values: [
      ...[
        '',
        'a',
        'A',
        ' ',
        '.',
        '..',
        'null',
        'NULL',
        '__HIVE_DEFAULT_PARTITION__',
        'São Paulo',
        'a/b\\c',
        'a=b&c%20d',
      ],
      ...['Zoë 日本語 🚀', 'it\'s "quoted"', 'line\nbreak\ttab', '🚀'.repeat(20), '\u{10ffff}'.repeat(17), 'e\u0301'],
    ]
      .map(sqlText)
      .concat('NULL', LONG),
  },
  c_binary: {
    type: 'binary',
    values: [
      ...["''", "'\\x00'", "'\\xDE\\xAD\\xBE\\xEF'", "'plain'", `'${'\\xFF'.repeat(20)}'`, `'a${'\\xFF'.repeat(20)}'`],
      'NULL',
    ],
  },
  c_nothing: { type: 'string', values: ['NULL'] },
  c_list: { type: 'list<int>', values: ['[]', '[1, NULL, -3]', 'NULL', '[2147483647]'] },
  c_struct: {
    type: 'struct<a: bigint, b: string, c: struct<d: decimal(38,0)>>',
    values: [
      `{'a': -5, 'b': 'é', 'c': {'d': '-${'9'.repeat(38)}'}}`,
      "{'a': NULL, 'b': NULL, 'c': NULL}",
      'NULL',
      "{'a': 9223372036854775807, 'b': '', 'c': {'d': 7}}",
    ],
  },
  c_structs: {
    type: 'list<struct<x: double, y: list<date>>>',
    values: [
      "[{'x': 'nan', 'y': ['1969-07-20', NULL]}, NULL]",
      "[{'x': -1.5, 'y': []}, {'x': NULL, 'y': NULL}]",
      'NULL',
      '[]',
    ],
  },
};

function times(zone: string): readonly string[] {
  const instants = [
    ['1970-01-01 00:00:00', '1969-12-31 23:59:59.999999', '1969-12-31 22:59:59', '0001-01-01 00:00:00'],
    ['1900-02-28 12:00:00.000001', '2000-02-29 23:59:59.999999', '2024-12-31 23:00:00', '9999-12-31 23:59:59.999999'],
  ];
  return instants.flat().map((instant) => `'${instant}${zone}'`);
}

function sqlText(text: string): string {
  return text === 'NULL' ? 'NULL' : quoteText(text);
}

export const SAMPLE_ROWS = 240;

/** The sample as a SELECT: row `n` has the `n`-th value of each column, shifted on every round so that values meet. */
export function renderSample(first = 0, rows = SAMPLE_ROWS): string {
  const columns = Object.entries(SAMPLE_COLUMNS).map(([name, column], at) => {
    const type = sqlType(column.type);
    const values = column.values.map((value) => `CAST(${value} AS ${type})`);
    const index = `(n + ${at} * (n // ${values.length})) % ${values.length}`;
    return `list_value(${values.join(', ')})[1 + ${index}] AS ${name}`;
  });
  return `SELECT n AS id, ${columns.join(', ')} FROM range(${first}, ${first + rows}) AS r(n) ORDER BY n`;
}

function sqlType(type: string): string {
  const parsed = parseColumnType(type);
  if (parsed === undefined) throw new RangeError(`not a type: ${type}`);
  return duckType(parsed);
}

export function writeSample(path: string, first?: number, rows?: number): Statement {
  return {
    name: 'sample',
    text: userSql(`COPY (${renderSample(first, rows)}) TO ${quoteText(path)} (FORMAT parquet)`),
  };
}

/** Every transform over every type it takes, by the name of the table that has it; then several fields at once. */
export const PARTITIONED: Readonly<Record<string, readonly PartitionField[]>> = {
  ...over(identity, 'boolean int bigint decimal9 decimal38 date timestamp timestamptz string'),
  ...over(year, 'date timestamp timestamptz'),
  ...over(month, 'date timestamp timestamptz'),
  ...over(day, 'date timestamp timestamptz'),
  ...over(hour, 'timestamp timestamptz'),
  ...over((column) => bucket(5, column), 'int bigint decimal9 decimal38 date timestamp timestamptz string binary'),
  ...over((column) => truncate(16, column), 'int'),
  ...over((column) => truncate(1000, column), 'bigint decimal9 decimal18'),
  ...over((column) => truncate(2, column), 'string binary'),
  by_three_fields: [month('c_date'), identity('c_boolean'), bucket(3, 'c_string')],
  by_nothing: [],
};

function over(field: (column: string) => PartitionField, types: string): Record<string, readonly PartitionField[]> {
  return Object.fromEntries(
    types.split(' ').map((type) => {
      const built = field(`c_${type}`);
      return [`by_${built.transform.kind}_${type}`, [built]];
    }),
  );
}
