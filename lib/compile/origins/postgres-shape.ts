import { z } from 'zod';
import { parseSpan } from '../../core/durations.ts';
import type { PostgresOrigin } from '../../core/origins.ts';
import { SECRET_NAME } from '../../core/webhook.ts';
import { type Notes, placeIn } from '../notes.ts';
import { type Field, type FieldsRead, isRecord, readFields, span } from '../shape.ts';

const text = z.string().min(1);

export const POSTGRES = {
  origin: { schema: z.literal('postgres'), expected: "'postgres'" },
  url: {
    schema: z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
    expected: "secret('NAME'), a name of letters, digits and _ and never the URL itself",
    required: true,
  },
  table: {
    schema: z.string().regex(/^[^.]+(\.[^.]+)?$/),
    expected: "the name of a table, with its schema where that is not public: 'sales.orders'",
    required: true,
  },
  where: { schema: text, expected: 'SQL of the server, for a row, such as "region = \'EU\'"' },
  partition: { schema: z.unknown(), expected: "{ column: 'id', bounds: 'auto', parts: 4 }" },
  cursor: { schema: text, expected: "the name of a column that grows, such as 'updated_at'" },
  overlap: span(parseSpan, "a span such as '5m' or '1h'"),
} as const satisfies Record<string, Field>;

const PARTITION = {
  column: { schema: text, expected: 'the name of a column of whole numbers', required: true },
  bounds: { schema: z.literal('auto'), expected: "'auto'" },
  parts: { schema: z.number().int().min(1).max(32), expected: 'a whole number from 1 to 32', required: true },
} as const satisfies Record<string, Field>;

const DEFAULT_OVERLAP_MS = 300_000;

/** `columns`: what the source says of its columns, which are those of the table. */
export function postgresOrigin(
  read: FieldsRead<typeof POSTGRES>,
  columns: unknown,
  place: string,
  notes: Notes,
): PostgresOrigin | undefined {
  const names = isRecord(columns) ? Object.keys(columns) : [];
  const partition =
    read.partition === undefined
      ? undefined
      : readFields(PARTITION, read.partition, placeIn(place, 'partition'), POSTGRES.partition.expected, notes);
  for (const [key, name] of [['cursor', read.cursor] as const, ['partition', partition?.column] as const]) {
    if (name === undefined || names.includes(name)) continue;
    notes.add(placeIn(place, key), `the column ${JSON.stringify(name)}`, 'one that columns names');
  }
  if (read.overlap !== undefined && read.cursor === undefined)
    notes.add(placeIn(place, 'overlap'), 'an overlap without a cursor', 'a cursor, or no overlap');
  if (read.url === undefined || read.table === undefined) return undefined;
  const [first = '', second] = read.table.split('.');
  return {
    kind: 'postgres',
    secret: read.url.secret,
    schema: second === undefined ? 'public' : first,
    table: second ?? first,
    columns: names,
    ...(read.where === undefined ? {} : { where: read.where }),
    ...(partition?.column === undefined || partition.parts === undefined
      ? {}
      : { partition: { column: partition.column, parts: partition.parts } }),
    ...(read.cursor === undefined
      ? {}
      : { cursor: { column: read.cursor, overlapMs: read.overlap ?? DEFAULT_OVERLAP_MS } }),
  };
}
