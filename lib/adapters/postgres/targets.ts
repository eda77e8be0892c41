import { InvalidInput } from '../../core/errors.ts';
import type { Column } from '../../core/types.ts';
import type { SinkRun, SinkTable } from '../../ports.ts';
import { describeKeys, describeTables } from '../../sql/postgres/tables.ts';
import { postgresType, takes } from '../../sql/postgres/types.ts';
import type { Connection } from './client.ts';

/** What is to be done to a table before it is served: it is made, or given columns. */
export type TargetPlan = { readonly kind: 'made' } | { readonly kind: 'there'; readonly added: readonly Column[] };
export type Targets = ReadonlyMap<string, TargetPlan>;

type There = {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly filled: boolean;
  readonly made: boolean;
};

/**
 * Compares the tables of a run with those that are there. Throws InvalidInput, with all that is wrong, for a column of another type,
 * or one that nobody would fill, and for a merge into a table that does not hold its key unique.
 */
export async function checkTargets(connection: Connection, run: SinkRun): Promise<Targets> {
  const names = run.tables.map(({ name }) => name);
  const rows = await connection.run(describeTables(run.schema, names));
  const keys = await connection.run(describeKeys(run.schema, names));
  const byTable = Map.groupBy(rows, (row) => String(row['table']));
  const targets = new Map<string, TargetPlan>();
  const problems: string[] = [];
  for (const table of run.tables) {
    const found = byTable.get(table.name);
    if (found === undefined) {
      targets.set(table.name, { kind: 'made' });
      continue;
    }
    const columns = found.filter((row) => row['name'] !== null).map(columnOf);
    const unique = keys.filter((row) => row['table'] === table.name).map((row) => namesIn(row['columns']));
    problems.push(...problemsOf(run.schema, table, { kind: String(found[0]?.['kind']), columns, unique }));
    const there = new Set(columns.map(({ name }) => name));
    targets.set(table.name, { kind: 'there', added: table.columns.filter(({ name }) => !there.has(name)) });
  }
  if (problems.length > 0) {
    throw new InvalidInput(
      `nothing was served to PostgreSQL, whose tables are others:\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  return targets;
}

type Found = {
  readonly kind: string;
  readonly columns: readonly There[];
  readonly unique: readonly (readonly string[])[];
};

function problemsOf(schema: string, table: SinkTable, { kind, columns, unique }: Found): readonly string[] {
  const name = `${schema}.${table.name}`;
  if (kind !== 'r' && kind !== 'p')
    return [`${name}: got a view or a foreign table; expected a table. Serve under another name`];
  const wanted = new Map(table.columns.map((column) => [column.name, column.type]));
  const wrong = columns.flatMap(({ name: column, type, required, filled, made }) => {
    const own = wanted.get(column);
    if (own === undefined) {
      return required && !filled
        ? [
            `${name}.${column}: got NOT NULL without a default, for a column that the lake does not have; expected one that may be left out`,
          ]
        : [];
    }
    if (made) return [`${name}.${column}: got a column that PostgreSQL fills itself; expected one that takes values`];
    return takes(type, own)
      ? []
      : [
          `${name}.${column}: got ${type}; expected ${postgresType(own)}. Change the type there, or cast the column in the model`,
        ];
  });
  const key = [...table.key].sort().join('\n');
  const keyed = table.mode !== 'merge' || unique.some((names) => [...names].sort().join('\n') === key);
  return keyed
    ? wrong
    : [
        ...wrong,
        `${name}: got no unique index of (${table.key.join(', ')}), which is its key; expected one. Add it there: ALTER TABLE ... ADD PRIMARY KEY`,
      ];
}

function columnOf(row: Readonly<Record<string, unknown>>): There {
  const is = (name: string): boolean => row[name] === true;
  return {
    name: String(row['name']),
    type: String(row['type']),
    required: is('required'),
    filled: is('filled'),
    made: is('made'),
  };
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
