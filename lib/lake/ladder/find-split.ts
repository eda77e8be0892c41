import { EngineError } from '../../core/errors.ts';
import type { Part, PartialColumn, PartialRung, Stop } from '../../core/ladder.ts';
import { type GoldModel, modelId, type PipelineSpec, type TableRef } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import type { JsonValue, Session } from '../../ports.ts';
import { listFunctions } from '../../sql/bind.ts';
import { MOST_SCALE } from '../../sql/ladder/average.ts';
import { AGGREGATING_MACROS } from '../../sql/ladder/nodes.ts';
import { type SplitAggregate, type SplitQuery, splitAggregation } from '../../sql/ladder/partial.ts';
import { createPartialsOf, renderMap, renderReduce } from '../../sql/ladder/reduce.ts';
import type { Names, TableName } from '../../sql/ladder/scope.ts';
import { serializeSql } from '../../sql/syntax.ts';
import { printTree, readTree } from '../../sql/tree.ts';
import { engineSql, userSql } from '../../sql/user-sql.ts';
import { columnsOfRef, viewName } from '../tables/table-state.ts';

/** How the rows of a model are made of parts, and the tables of which units may read parts. */
export type Split = Omit<PartialRung, 'rung' | 'table' | 'buckets'> & { readonly tables: readonly string[] };

/** A model's SQL, as the engine reads it in a session in which its tables are bound. */
export type ReadModel = {
  readonly model: GoldModel;
  readonly tree: JsonValue;
  readonly names: Names;
  readonly aggregates: ReadonlySet<string>;
  readonly results: readonly { readonly name: string; readonly type: string }[];
  readonly idOf: (name: TableName) => string | undefined;
};

type Also = Readonly<Record<string, readonly Column[]>>;

export async function readModel(
  session: Session,
  spec: PipelineSpec,
  model: GoldModel,
  also: Also,
): Promise<ReadModel> {
  const tree = readTree(await textOf(session, serializeSql(model.sql)));
  const functions = await session.rows(listFunctions());
  const aggregates = functions
    .filter(({ aggregate }) => aggregate === true)
    .map(({ name }) => String(name).toLowerCase());
  const byName = new Map(model.reads.map((ref) => [nameOfRef(ref), ref]));
  const refOf = ({ catalog, schema, table }: TableName): TableRef | undefined =>
    byName.get(JSON.stringify([catalog, schema, table]));
  const columnsOf = (name: TableName): readonly string[] | undefined => {
    const ref = refOf(name);
    const columns = ref && [...columnsOfRef(spec, ref), ...(also[modelId(ref)] ?? [])];
    return columns?.map((column) => column.name);
  };
  return {
    model,
    tree,
    names: { columnsOf, ctes: new Map() },
    aggregates: new Set([...aggregates, ...AGGREGATING_MACROS]),
    results: await session.describe({ name: model.id, text: userSql(model.sql) }),
    idOf: (name) => {
      const ref = refOf(name);
      return ref && modelId(ref);
    },
  };
}

function nameOfRef(ref: TableRef): string {
  const { database = '', schema, table } = viewName(ref);
  return JSON.stringify([database, schema, table].map((part) => part.toLowerCase()));
}

export async function textOf(session: Session, statement: Parameters<Session['rows']>[0]): Promise<string> {
  return String((await session.rows(statement))[0]?.['result']);
}

/** How a model that groups is computed in two stages with the same answer, or what of its SQL stops that. */
export async function findSplit(session: Session, read: ReadModel): Promise<Split | Stop> {
  const results = read.results.map(({ name }) => name);
  const found = splitAggregation(read.tree, results, read.names, read.aggregates);
  if ('stops' in found) return found;
  const tables = found.cuts.flatMap((name) => read.idOf(name) ?? []);
  try {
    return await typed(session, found, tables, read);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return { stops: 'SQL that the engine does not take apart' };
  }
}

async function typed(
  session: Session,
  split: SplitQuery,
  tables: readonly string[],
  { results }: ReadModel,
): Promise<Split | Stop> {
  const map = await textOf(session, printTree(split.map));
  const types = new Map((await session.describe({ name: 'map', text: engineSql(map) })).map((c) => [c.name, c.type]));
  const averaged = split.averaged === undefined ? [] : await describeTree(session, split.averaged);
  const keys = split.keys.map((name) => keyColumn(name, types.get(name) ?? ''));
  const averages = split.aggregates.filter(({ kind }) => kind === 'avg');
  const parts = split.aggregates.map((one) =>
    partOf(one, types.get(one.name) ?? '', averaged[averages.indexOf(one)] ?? ''),
  );
  const stop = [...keys, ...parts].find(isStop);
  if (stop !== undefined) return stop;
  const columns = [...keys, ...parts.flatMap(columnsOfPart)].filter(isMade);
  const rung = {
    map,
    columns,
    parts: parts.filter(isMade),
    reduce: await textOf(session, printTree(split.reduce)),
  };
  await session.run(createPartialsOf(renderMap(rung)));
  const described = await session.describe({ name: 'reduce', text: renderReduce(rung, 64) });
  const same = JSON.stringify(described.map(typeOnly)) === JSON.stringify(results.map(typeOnly));
  return same ? { ...rung, tables } : { stops: 'a column that has another type when it is made of parts' };
}

function isStop(one: object): one is Stop {
  return 'stops' in one;
}

function isMade<T extends object>(one: T | Stop): one is T {
  return !isStop(one);
}

function typeOnly({ name, type }: { readonly name: string; readonly type: string }): readonly string[] {
  return [name, type];
}

async function describeTree(session: Session, tree: JsonValue): Promise<readonly string[]> {
  const text = engineSql(await textOf(session, printTree(tree)));
  return (await session.describe({ name: 'averaged', text })).map(({ type }) => type);
}

/** Types of which equal values are written alike, and which Parquet gives back as they were. */
const KEPT =
  /^(BOOLEAN|U?TINYINT|U?SMALLINT|U?INTEGER|U?BIGINT|DECIMAL\(.*\)|DATE|TIMESTAMP|TIMESTAMP WITH TIME ZONE|VARCHAR|BLOB)$/;

function keyColumn(name: string, type: string): PartialColumn | Stop {
  return KEPT.test(type) ? { name, key: true, text: false } : { stops: `a key of type ${type}` };
}

const SCALE = /^DECIMAL\(\d+,(\d+)\)$/;

/** A sum of DOUBLE depends on the order in which it is made. */
function partOf({ kind, name, count }: SplitAggregate, type: string, averaged: string): Part | Stop {
  const text = type === 'HUGEINT';
  const scale = text ? 0 : Number(SCALE.exec(type)?.[1] ?? Number.NaN);
  switch (kind) {
    case 'count':
      return { kind, name, text: false };
    case 'min':
    case 'max':
      return KEPT.test(type) || /^(FLOAT|DOUBLE)$/.test(type)
        ? { kind, name, text: false }
        : { stops: `${kind} of ${type}` };
    case 'sum':
      return Number.isNaN(scale) ? { stops: `a sum of ${type}` } : { kind, name, text };
    case 'avg':
      if (Number.isNaN(scale)) return { stops: `an average of ${averaged}` };
      if (scale > MOST_SCALE) return { stops: `an average of ${averaged}` };
      return { kind, name, count: count ?? '', text, scale, narrow: isNarrow(averaged) };
  }
}

/** Of 16 bits or less. */
function isNarrow(type: string): boolean {
  const digits = /^DECIMAL\((\d+),/.exec(type)?.[1];
  return digits === undefined ? /^U?TINYINT$|^SMALLINT$/.test(type) : Number(digits) <= 4;
}

function columnsOfPart(part: Part | Stop): readonly PartialColumn[] {
  if ('stops' in part) return [];
  const column = { name: part.name, key: false, text: part.text };
  return part.kind === 'avg' ? [column, { name: part.count, key: false, text: false }] : [column];
}
