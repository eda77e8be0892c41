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
 * was compiled. SQL that cannot do with such a column, because of a name that two tables have now, say, goes on without them.
 */
export async function evolvedGold(
  deps: StepDeps,
  spec: PipelineSpec,
  model: GoldModel,
  states: States,
): Promise<EvolvedGold | undefined> {
  const also = model.reads.flatMap((ref) => {
    const more = newColumns(spec, ref, states.get(modelId(ref)));
    return more.length === 0 ? [] : [[modelId(ref), more] as const];
  });
  if (also.length === 0) return undefined;
  const reads_also = Object.fromEntries(also);
  const left = (reason: string): undefined => {
    const columns = also.flatMap(([id, more]) => more.map(({ name }) => `${id}.${name}`)).join(', ');
    deps.log.warn('columns that drift brought are left out of gold', { model: model.id, columns, reason });
    return undefined;
  };
  await using session = await deps.engine.open(deps.settings);
  try {
    await bindReads(session, spec, model, reads_also);
    const described = await session.describe({ name: model.id, text: userSql(model.sql) });
    const columns = described.map(({ name, type }) => ({ name, type: columnTypeOf(type) }));
    const known = columns.flatMap(({ name, type }) => (type === undefined ? [] : [{ name, type }]));
    if (known.length < columns.length) return left('some have types that a table cannot have');
    const changed = changedColumn(model, known);
    if (changed !== undefined) return left(`with them column ${changed} would be another`);
    const base = states.get(model.id);
    const altered = base && alterSchema(base, known, { whole: true });
    if (altered?.kind === 'incompatible') return left(altered.columns.map(sayTaken).join(', '));
    const own = new Set(model.columns.map(({ name }) => name));
    const added = known.filter(({ name }) => !own.has(name));
    // Without a star nothing follows them, and a name of the SQL's own must not become one of theirs.
    return added.length > 0 || (await hasStar(session, model.sql)) ? { added, reads_also } : undefined;
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return left(engineReason(cause));
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
