import { z } from 'zod';
import { LONGEST_POSTGRES_NAME, SERVE_MODES, type ServedTableSpec, type ServeSpec } from '../core/serve.ts';
import { oneOf } from '../core/suggest.ts';
import { SECRET_NAME } from '../core/webhook.ts';
import { silently } from './alerts-shape.ts';
import type { ColumnsOf } from './joins.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { type Field, isRecord, readFields } from './shape.ts';

export const SERVE_EXPECTED =
  "{ postgres: { url: secret('REPORTS_URL'), tables: { revenue: { from: 'gold.revenue' } } } }";

const SERVE = {
  postgres: { schema: z.unknown(), expected: "{ url: secret('REPORTS_URL'), tables: { ... } }", required: true },
} as const;

const NAME = z
  .string()
  .regex(/^[a-z_][a-z0-9_]*$/)
  .max(LONGEST_POSTGRES_NAME);
const NAME_EXPECTED = `a name of at most ${LONGEST_POSTGRES_NAME} lower case letters, digits and _`;
const TABLES_EXPECTED = "tables by name, such as { revenue: { from: 'gold.revenue' } }";

const POSTGRES = {
  url: {
    schema: z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
    expected: "secret('NAME'), a name of letters, digits and _ and never the URL itself",
    required: true,
  },
  schema: { schema: NAME, expected: NAME_EXPECTED },
  tables: {
    schema: z.record(z.string(), z.unknown()).refine((tables) => Object.keys(tables).length > 0),
    expected: TABLES_EXPECTED,
    required: true,
  },
} as const satisfies Record<string, Field>;

const column = z.string().min(1);

const TABLE = {
  from: { schema: z.string(), expected: "a table of the pipeline, such as 'gold.revenue'", required: true },
  mode: { schema: z.enum(SERVE_MODES), expected: "'replace', 'merge' or 'append'" },
  key: {
    schema: z.union([column.transform((one) => [one]), z.array(column).min(1)]),
    expected: "the name of a column, or a list of names, such as 'id'",
  },
  keep: { schema: z.number().int().nonnegative().max(100), expected: 'a whole number of versions, 0 to 100' },
  truncate: { schema: z.boolean(), expected: 'true or false' },
} as const satisfies Record<string, Field>;

/** What a pipeline serves. A URL that stands in the place of its secret's name is not repeated in the problem. */
export function readServe(value: unknown, notes: Notes): ServeSpec | undefined {
  if (value === undefined) return undefined;
  const read = readFields(SERVE, value, 'serve', SERVE_EXPECTED, notes);
  if (read?.postgres === undefined) return undefined;
  const place = 'serve.postgres';
  const quiet = silently(notes, `${place}.url`);
  const postgres = readFields(POSTGRES, read.postgres, place, SERVE.postgres.expected, quiet);
  if (postgres?.url === undefined || postgres.tables === undefined) return undefined;
  const at = placeIn(place, 'tables');
  const tables = Object.entries(postgres.tables).flatMap(([name, table]) => readTable(name, table, at, notes) ?? []);
  return { postgres: { secret: postgres.url.secret, schema: postgres.schema ?? 'public', tables } };
}

function readTable(name: string, value: unknown, tables: string, notes: Notes): ServedTableSpec | undefined {
  const place = placeIn(tables, name);
  const sound = NAME.safeParse(name).success && name !== 'strata_published';
  if (!sound) notes.add(place, showValue(name), `${NAME_EXPECTED}, and not strata_published`);
  const read = readFields(TABLE, value, place, "{ from: 'gold.revenue' }", notes);
  if (read?.from === undefined) return undefined;
  const given: unknown = isRecord(value) ? value['mode'] : undefined;
  const mode = read.mode ?? (read.key === undefined ? 'replace' : 'merge');
  if (mode === 'merge' && read.key === undefined) notes.add(placeIn(place, 'key'), 'nothing', TABLE.key.expected);
  if (mode !== 'merge' && read.key !== undefined)
    notes.add(placeIn(place, 'key'), `a key with mode ${showValue(given)}`, "mode: 'merge', or no key");
  if (mode !== 'replace' && read.truncate === true)
    notes.add(placeIn(place, 'truncate'), `true with mode '${mode}'`, "mode: 'replace', or no truncate");
  const { keep = 0, truncate = false, key = [] } = read;
  return {
    name,
    from: read.from,
    mode,
    key,
    ...(keep === 0 ? {} : { keep }),
    ...(truncate ? { truncate } : {}),
  };
}

/** Notes tables that are served of no model, and keys that are no columns. */
export function checkServe(
  serve: ServeSpec | undefined,
  models: readonly string[],
  columnsOf: ColumnsOf,
  notes: Notes,
): void {
  for (const { name, from, key } of serve?.postgres.tables ?? []) {
    const place = placeIn('serve.postgres.tables', name);
    if (!models.includes(from)) notes.add(placeIn(place, 'from'), showValue(from), oneOf(from, models));
    // Of a model that has problems of its own nothing is known.
    const columns = columnsOf(from);
    for (const column of key) {
      if (columns.length > 0 && !columns.includes(column))
        notes.add(placeIn(place, 'key'), showValue(column), oneOf(column, columns));
    }
  }
}
