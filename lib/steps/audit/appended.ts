import type { ModelSpec } from '../../core/spec.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { candidateFiles, findPartFilter, isBounded } from '../../lake/tables/candidates.ts';
import { openFiles, openParts } from '../../lake/tables/foreign-files.ts';
import { scanColumns, tableColumns } from '../../lake/tables/table-state.ts';
import type { Row } from '../../ports.ts';
import { checkExpectation, createAppended, createFreshRows, FRESH } from '../../sql/audit.ts';
import { renderScan } from '../../sql/scan.ts';
import { planFiles } from '../../table/read.ts';
import { isKnownUnique, type UniqueExpectation } from './held.ts';

/** How many rows a table has, as its summary says; undefined where it does not, or where others have deleted rows in place. */
export function knownRows(table: TableMetadata): bigint | undefined {
  const summary = currentSnapshot(table)?.summary;
  const rows = summary?.['total-records'];
  if (rows === undefined || !/^\d+$/.test(rows)) return undefined;
  return summary?.['total-delete-files'] === '0' ? BigInt(rows) : undefined;
}

/**
 * What repeats in a table to which rows were added, when nothing did before: only keys of new rows can, so that these are held
 * against the files whose bounds have room for one of them. Undefined where it is not known that nothing repeated.
 */
export async function repeatsOf(
  deps: StepDeps,
  {
    model,
    metadata,
    before,
  }: { readonly model: ModelSpec; readonly metadata: TableMetadata; readonly before: TableMetadata },
  expectation: UniqueExpectation,
): Promise<Row | undefined> {
  const columns = scanColumns(metadata, tableColumns(model)).filter(({ name }) => expectation.columns.includes(name));
  // What is equal is not told by the bounds of floats and nested values.
  if (columns.length < expectation.columns.length || !columns.every(isBounded)) return undefined;
  if (!isKnownUnique(before, expectation)) return undefined;
  const known = new Set((await planFiles(deps.store, before)).map(({ path }) => path));
  const files = await planFiles(deps.store, metadata);
  const added = files.filter(({ path }) => !known.has(path));
  await using session = await deps.engine.open(deps.settings);
  await using opened = await openFiles(session, deps.store, metadata, added);
  await session.run(createFreshRows(renderScan(columns, opened.files)));
  const old = files.filter(({ path }) => known.has(path));
  const fresh = { from: FRESH, by: columns, nulls: true };
  const held = await candidateFiles(session, metadata, old, fresh);
  const needed = {
    columns: new Set(columns.map(({ id }) => id)),
    mayMatch: await findPartFilter(session, metadata, fresh),
  };
  await using against = await openParts(session, { store: deps.store, metadata }, held, needed);
  await session.run(createAppended(renderScan(columns, against.files), expectation.columns));
  return (await session.rows(checkExpectation(expectation, model.personal)))[0];
}
