import type { Sql } from '../../core/sql-text.ts';
import type { ColumnType } from '../../core/types.ts';
import { sql } from '../fragment.ts';
import { isArray } from '../serve/rows.ts';

/** The type of PostgreSQL that holds a column type. */
export function postgresType(type: ColumnType): Sql {
  switch (type.kind) {
    case 'boolean':
      return sql`boolean`;
    case 'int':
      return sql`integer`;
    case 'bigint':
      return sql`bigint`;
    case 'float':
      return sql`real`;
    case 'double':
      return sql`double precision`;
    case 'decimal':
      return sql`numeric(${type.precision},${type.scale})`;
    case 'date':
      return sql`date`;
    case 'timestamp':
      return sql`timestamp without time zone`;
    case 'timestamptz':
      return sql`timestamp with time zone`;
    case 'string':
      return sql`text`;
    case 'binary':
      return sql`bytea`;
    case 'list':
      return isArray(type) ? sql`${postgresType(type.element)}[]` : sql`jsonb`;
    case 'struct':
      return sql`jsonb`;
  }
}

/** Types beside its own that lose nothing of a value. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  integer: ['bigint', 'numeric', 'double precision'],
  bigint: ['numeric'],
  real: ['double precision'],
  text: ['character varying'],
};

/** Whether a column of PostgreSQL, by its type as `format_type` says it, takes all values of a column type. */
export function takes(target: string, type: ColumnType): boolean {
  const own: string = postgresType(type);
  if (target === own || (WIDER[own] ?? []).includes(target)) return true;
  if (target.endsWith('[]') && type.kind === 'list' && isArray(type)) return takes(target.slice(0, -2), type.element);
  if (type.kind !== 'decimal') return false;
  if (target === 'numeric') return true;
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(target) ?? [];
  const whole = Number(precision) - Number(scale);
  return Number(scale) >= type.scale && whole >= type.precision - type.scale;
}
