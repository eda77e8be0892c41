import { EngineError } from '../../core/errors.ts';
import { type GoldModel, modelId, type PipelineSpec, type TableRef } from '../../core/spec.ts';
import { type Column, sameType } from '../../core/types.ts';
import { alterSchema } from '../../iceberg/changes.ts';
import type { IncompatibleColumn } from '../../iceberg/evolve.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { bindReads } from '../../lake/tables/bind-reads.ts';
import { columnsOfRef, findModel, visibleColumns } from '../../lake/tables/table-state.ts';
import { engineReason } from '../../landing/data-fault.ts';
import type { Session } from '../../ports.ts';
import { walk } from '../../sql/tree.ts';
import { columnTypeOf } from '../../sql/types.ts';
import { userSql } from '../../sql/user-sql.ts';

/** A gold model over tables that drift has given more columns than the pipeline knows. */
export type EvolvedGold = {
  /** Columns that its stars find beyond the model's. */
  readonly added: readonly Column[];
  /** By the id of a table that it reads: its columns beyond those that the SQL was bound to. */
  readonly reads_also: Readonly<Record<string, readonly Column[]>>;
};

type States = ReadonlyMap<string, TableMetadata | undefined>;

/**
 * What a gold model becomes where drift 'evolve' has brought columns to tables that it reads; undefined where it stays as it
 * was compiled. SQL that cannot do with such a column, because of a name that two tables have now, say, goes on without them: with
 * those alone that its table has already, which would be lost otherwise, or without any.
 */
export async function evolvedGold(
  deps: StepDeps,
  spec: PipelineSpec,
  model: GoldModel,
  states: States,
): Promise<EvolvedGold | undefined> {
  const base = states.get(model.id);
  const all = columnsBeyond(spec, model, states, () => true);
  if (all.length === 0) return undefined;
  const gold = { spec, model, base };
  const found = await evolveWith(deps, gold, all);
  if (typeof found !== 'string') return found;
  const own = new Set(model.columns.map(({ name }) => name.toLowerCase()));
  const had = new Set(base && visibleColumns(base).flatMap(({ name }) => (own.has(name.toLowerCase()) ? [] : [name])));
  const some = columnsBeyond(spec, model, states, ({ name }) => had.has(name));
  const kept = some.length === 0 ? 'none is there' : await evolveWith(deps, gold, some);
  const stays = (name: string): boolean => typeof kept !== 'string' && had.has(name);
  const left = all.flatMap(([id, more]) => more.flatMap(({ name }) => (stays(name) ? [] : [`${id}.${name}`])));
  const columns = left.join(', ');
  deps.log.warn('columns that drift brought are left out of gold', { model: model.id, columns, reason: found });
  return typeof kept === 'string' ? undefined : kept;
}

type Beyond = readonly (readonly [id: string, columns: readonly Column[]])[];

/** By the id of a table that a model reads: columns that drift has brought to it, as far as they are asked for. */
function columnsBeyond(
  spec: PipelineSpec,
  model: GoldModel,
  states: States,
  asked: (column: Column) => boolean,
): Beyond {
  return model.reads.flatMap((ref) => {
    const more = newColumns(spec, ref, states.get(modelId(ref))).filter(asked);
    return more.length === 0 ? [] : [[modelId(ref), more] as const];
  });
}

type Gold = { readonly spec: PipelineSpec; readonly model: GoldModel; readonly base: TableMetadata | undefined };

/** What the model becomes with these columns, or in words why it cannot do with them. */
async function evolveWith(
  deps: StepDeps,
  { spec, model, base }: Gold,
  also: Beyond,
): Promise<EvolvedGold | undefined | string> {
  const reads_also = Object.fromEntries(also);
  await using session = await deps.engine.open(deps.settings);
  try {
    await bindReads(session, spec, model, reads_also);
    const described = await session.describe({ name: model.id, text: userSql(model.sql) });
    const columns = described.map(({ name, type }) => ({ name, type: columnTypeOf(type) }));
    const known = columns.flatMap(({ name, type }) => (type === undefined ? [] : [{ name, type }]));
    if (known.length < columns.length) return 'some have types that a table cannot have';
    const changed = changedColumn(model, known);
    if (changed !== undefined) return `with them column ${changed} would be another`;
    const altered = base && alterSchema(base, known, { whole: true });
    if (altered?.kind === 'incompatible') return altered.columns.map(sayTaken).join(', ');
    const own = new Set(model.columns.map(({ name }) => name));
    const added = known.filter(({ name }) => !own.has(name));
    // Without a star nothing follows them, and a name of the SQL's own must not become one of theirs.
    return added.length > 0 || (await hasStar(session, model.sql)) ? { added, reads_also } : undefined;
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return engineReason(cause);
  }
}

function sayTaken({ column, expected }: IncompatibleColumn): string {
  return `${column} is ${expected} in its table`;
}

async function hasStar(session: Session, sql: string): Promise<boolean> {
  return [...walk(await session.parse(sql))].some((node) => node['class'] === 'STAR');
}

/** A column of the model that the SQL gives twice, not at all or with another type now; also one that differs from another by case alone. */
function changedColumn(model: GoldModel, now: readonly Column[]): string | undefined {
  const folded = Map.groupBy(now, ({ name }) => name.toLowerCase());
  const twice = [...folded.values()].find((same) => same.length > 1)?.[0];
  const lost = model.columns.find(
    ({ name, type }) => !now.some((one) => one.name === name && sameType(one.type, type)),
  );
  return (twice ?? lost)?.name;
}

/** Columns that a table has and its model has not, where they can have come by drift. */
function newColumns(spec: PipelineSpec, ref: TableRef, metadata: TableMetadata | undefined): readonly Column[] {
  if (metadata === undefined || !evolves(spec, ref)) return [];
  const bound = new Set(columnsOfRef(spec, ref).map(({ name }) => name.toLowerCase()));
  return visibleColumns(metadata).filter(({ name }) => !bound.has(name.toLowerCase()));
}

/** Whether drift may give a table columns, or one that it is made from. */
function evolves(spec: PipelineSpec, ref: TableRef): boolean {
  if (ref.pipeline !== undefined) return false;
  const model = findModel(spec, modelId(ref));
  if (model.layer === 'gold') return model.reads.some((read) => evolves(spec, read));
  return model.selectsAll && spec.sources.some(({ name, drift }) => name === model.from && drift === 'evolve');
}
