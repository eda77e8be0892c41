import { EngineError } from '../../core/errors.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Predicate } from '../../iceberg/predicate.ts';
import { currentSchema, decimalOf } from '../../iceberg/schema.ts';
import type { IcebergType, IcebergValue, TableMetadata } from '../../iceberg/types.ts';
import type { Engine, Session, SessionOptions, Statement } from '../../ports.ts';
import { lockDown } from '../../sql/lock-down.ts';
import type { ViewName } from '../../sql/scan.ts';
import {
  inlineTables,
  limitOptimizers,
  planPrinted,
  planQuery,
  readScans,
  type ScanCondition,
  type ScanValue,
  type TableScan,
} from '../../sql/scans.ts';
import { serializeSql } from '../../sql/syntax.ts';

/** What a query reads of a table: columns, and for each place that reads it conditions that hold for all rows that count. */
export type TableNeeds = {
  readonly columns: ReadonlySet<string>;
  readonly alternatives: readonly (readonly ScanCondition[])[];
};

/** What a query reads of tables; `undefined` for one of which all may be read. */
export type ReadNeeds = (view: ViewName) => TableNeeds | undefined;

export const NEEDS_ALL: ReadNeeds = () => undefined;

type PlanDeps = { readonly engine: Engine; readonly settings: SessionOptions };

/** Tables without rows take none; plans of the largest queries take less. */
const PLANNING_BYTES = 100e6;

/** What the engine calls the database of a session itself. */
const OWN_DATABASE = 'memory';

/**
 * What a query reads, as the engine plans it over empty tables that `bind` makes. Where it cannot tell, a query reads
 * everything: that is never wrong, only more.
 */
export async function findNeeds(
  { engine, settings }: PlanDeps,
  query: Sql,
  bind: (session: Session) => Promise<void>,
): Promise<ReadNeeds> {
  // Beside the session of the unit, which has what memory and threads there are.
  const memoryBytes = Math.min(settings.memoryBytes, PLANNING_BYTES);
  await using session = await engine.open({ ...settings, memoryBytes, threads: 1, folders: undefined });
  try {
    await bind(session);
    await session.run(limitOptimizers());
    // What is planned over empty tables needs no file.
    for (const statement of lockDown([])) await session.run(statement);
    const scans = (await planScans(session, planQuery(query))) ?? (await planInlined(session, query));
    const byTable = Map.groupBy(scans ?? [], (scan) => nameOf(scan));
    return (view) => {
      const found = byTable.get(nameOf({ database: OWN_DATABASE, ...view }));
      return found && { columns: new Set(found.flatMap((s) => s.columns)), alternatives: found.map((s) => s.where) };
    };
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return NEEDS_ALL;
  }
}

async function planScans(session: Session, plan: Statement): Promise<readonly TableScan[] | undefined> {
  return readScans(await resultOf(session, plan));
}

async function planInlined(session: Session, query: Sql): Promise<readonly TableScan[] | undefined> {
  const print = inlineTables(await resultOf(session, serializeSql(query)));
  return print && planScans(session, planPrinted(await resultOf(session, print)));
}

async function resultOf(session: Session, statement: Statement): Promise<string> {
  return String((await session.rows(statement))[0]?.['result']);
}

function nameOf({ database, schema, table }: Required<ViewName>): string {
  return JSON.stringify([database, schema, table]);
}

/** The conditions as predicates on a table; those that say nothing about its columns are left out. */
export function predicatesOf(metadata: TableMetadata, conditions: readonly ScanCondition[]): readonly Predicate[] {
  const { fields } = currentSchema(metadata);
  return conditions.flatMap((condition): readonly Predicate[] => {
    const { column } = condition;
    const type = fields.find(({ name }) => name === column)?.type;
    if (typeof type !== 'string') return [];
    if (!('value' in condition || 'values' in condition)) return [{ column, op: condition.op }];
    if (condition.op === 'in') {
      const values = condition.values.flatMap((value) => icebergValue(type, value) ?? []);
      return values.length < condition.values.length ? [] : [{ column, op: 'in', values }];
    }
    const value = icebergValue(type, condition.value);
    return value === undefined ? [] : [{ column, op: condition.op, value }];
  });
}

/** DuckDB's types of the columns that have these of Iceberg, and how a value becomes one of ours. */
const VALUES: Readonly<Record<string, readonly [type: string, read: (text: string) => IcebergValue]>> = {
  boolean: ['BOOLEAN', (text) => text === 'true'],
  int: ['INTEGER', Number],
  long: ['BIGINT', BigInt],
  float: ['FLOAT', Number],
  double: ['DOUBLE', Number],
  date: ['DATE', Number],
  time: ['TIME', BigInt],
  timestamp: ['TIMESTAMP', BigInt],
  timestamptz: ['TIMESTAMP WITH TIME ZONE', BigInt],
  string: ['VARCHAR', (text) => text],
};

/** A value that is compared with a column of the type; undefined where the two have different types, or one is not finite. */
function icebergValue(type: IcebergType & string, { type: given, text }: ScanValue): IcebergValue | undefined {
  const decimal = decimalOf(type);
  if (decimal !== undefined)
    return given === `DECIMAL(${decimal.precision},${decimal.scale})` ? BigInt(text) : undefined;
  const [wanted, read] = VALUES[type] ?? [];
  if (wanted !== given || read === undefined) return undefined;
  const value = read(text);
  return typeof value === 'number' && !Number.isFinite(value) ? undefined : value;
}
