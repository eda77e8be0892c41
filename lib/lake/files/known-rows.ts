import { condemnsDuplicates, dedupeColumns, ROW_HASH } from '../../core/dedupe.ts';
import type { InputBytes } from '../../core/input-bytes.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Column } from '../../core/types.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Session } from '../../ports.ts';
import { createEqual } from '../../sql/candidates.ts';
import { ownName } from '../../sql/quote.ts';
import { renderScan } from '../../sql/scan.ts';
import { planFiles } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import type { UnitContext } from '../run/unit-context.ts';
import { candidateFiles, findPartFilter, isMany } from '../tables/candidates.ts';
import { openParts } from '../tables/foreign-files.ts';
import { loadRows, scanColumns } from '../tables/table-state.ts';

/** Of the rows that the table holds already those that new ones have to be told apart from. */
export const KNOWN_ROWS = ownName('__known_rows');

/** The table that new rows of a model are held against; `undefined` when there is none. */
export function loadKnown(
  { plan }: Pick<UnitContext, 'plan'>,
  model: SilverModel,
  deps: StepDeps,
): Promise<TableMetadata | undefined> {
  return loadRows(deps.store, plan, model.id);
}

/**
 * Makes `__known_rows` of what the table has of the keys, or hashes, of new rows. Only files whose bounds have room for one of
 * them are looked into, and of these only the columns that tell rows apart. What is kept is no more than there are new rows. Answers what was brought for it.
 */
export async function findKnown(
  session: Session,
  { context, model, table }: KnownRequest,
  from: Sql,
  deps: StepDeps,
): Promise<InputBytes> {
  const { columns } = context.planned.shape;
  const names = dedupeColumns(model);
  const by = names.flatMap((name): readonly Column[] => columns.filter((column) => column.name === name));
  const fresh = { from, by, nulls: false };
  const files = await planFiles(deps.store, table);
  // Hashes of many rows are everywhere.
  const everywhere = names.includes(ROW_HASH) && (await isMany(session, from));
  const candidates = everywhere ? files : await candidateFiles(session, table, files, fresh);
  const wanted = new Set([...names, ...comparedColumns(model)]);
  const scanned = scanColumns(table, columns).filter(({ name }) => wanted.has(name));
  const mayMatch = await findPartFilter(session, table, fresh);
  const needed = { columns: new Set(scanned.map(({ id }) => id)), mayMatch };
  await using opened = await openParts(session, { store: deps.store, metadata: table }, candidates, needed);
  const rows = { relation: renderScan(scanned, opened.files), columns: [...wanted] };
  await session.run(createEqual(KNOWN_ROWS, rows, { from, by: names }));
  const all = files.reduce((sum, { bytes }) => sum + Number(bytes), 0);
  return { ...opened.bytes, skipped: Math.max(0, all - opened.bytes.brought) };
}

export type KnownRequest = {
  readonly context: Pick<UnitContext, 'planned'>;
  readonly model: SilverModel;
  readonly table: TableMetadata;
};

/** By which a row is known to be equal to the one that has its key. */
function comparedColumns(model: SilverModel): readonly string[] {
  return condemnsDuplicates(model) && model.metadata.includes('row_hash') ? ['row_hash'] : [];
}
