import type { KeyRanges } from '../../core/key-ranges.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { KeyShare, MergeUnit } from '../../core/merge-unit.ts';
import type { TableShape } from '../../core/run.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import { filesOfRanges, rangesOfFile } from '../../iceberg/key-ranges.ts';
import { columnRange } from '../../iceberg/scan.ts';
import { currentSchema, fieldByName } from '../../iceberg/schema.ts';
import { parseScalarText } from '../../iceberg/text.ts';
import type { DataFile, TableMetadata } from '../../iceberg/types.ts';
import { compareValues } from '../../iceberg/values.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { keepOrRelease } from '../../lake/resources.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import { isBounded } from '../../lake/tables/candidates.ts';
import { openFiles, pathOf } from '../../lake/tables/foreign-files.ts';
import { loadRows, scanColumns } from '../../lake/tables/table-state.ts';
import { loadTarget } from '../../lake/tables/target.ts';
import type { Borrowed, Session } from '../../ports.ts';
import type { KeyPlace } from '../../sql/key-ranges.ts';
import { renderPart, selectFirstSequence } from '../../sql/keyed.ts';
import {
  createRelation,
  renderBucketed,
  renderBucketRows,
  renderMixedEvents,
  renderScan,
  writtenAs,
} from '../../sql/scan.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import { bucketOf } from './plan-keyed-merge.ts';

export type KeyedUnit = Extract<MergeUnit, { kind: 'keyed' }>;

export type KeyedContext = Pick<UnitContext, 'plan' | 'planned' | 'level'> & {
  readonly unit: KeyedUnit;
  readonly model: KeyedModel;
  readonly log: TableShape;
};

/** A rebuild recomputes every key, and a full extract may delete any. */
export function touchesAll({ model, planned }: Pick<KeyedContext, 'model' | 'planned'>): boolean {
  return planned.rebuild || model.mode.missing === 'delete';
}

/** Files of one table that may hold rows of some buckets. */
export type BucketFiles = {
  readonly shape: TableShape;
  readonly metadata: TableMetadata | undefined;
  readonly files: readonly ScannedFile[];
};

/** When a rebuild changes the number of buckets, they may lie in any file. */
export async function bucketFiles(
  { plan, planned, unit }: KeyedContext,
  share: KeyShare,
  shape: TableShape,
  deps: StepDeps,
): Promise<BucketFiles> {
  const metadata = await loadRows(deps.store, plan, shape.id);
  const all = metadata === undefined ? [] : await planFiles(deps.store, metadata);
  if (unit.ranges !== undefined && metadata !== undefined && !planned.rebuild)
    return { shape, metadata, files: filesOfRanges(metadata, unit.ranges, share.buckets, all) };
  const { grown_from: before = planned.buckets } = planned;
  const wanted = new Set(share.buckets.map((bucket) => bucket % before));
  return { shape, metadata, files: planned.rebuild ? all : all.filter((file) => wanted.has(bucketOf(file))) };
}

/** Makes a view of some buckets' rows of one table. */
export async function openBuckets(
  session: Session,
  { planned, model, unit }: KeyedContext,
  share: KeyShare,
  name: SqlName,
  { shape, metadata, files }: BucketFiles,
  deps: StepDeps,
): Promise<Borrowed> {
  const place = placeOf(shape, unit);
  const borrowed = await openFiles(session, deps.store, metadata, files);
  const columns = scanColumns(metadata, shape.columns);
  const known = files.reduce((sum, file) => sum + Number(file.rows), 0);
  const bucketsOfFiles = unit.ranges === undefined ? files.map(bucketOf) : wholeRanges(unit.ranges, metadata, files);
  const anywhere = planned.rebuild || planned.grown_from !== undefined || bucketsOfFiles.includes(undefined);
  const rows = anywhere
    ? renderBucketRows(renderScan(columns, borrowed.files, known), place, shape.columns, share.buckets)
    : renderBucketed(
        columns,
        borrowed.files.map((file, i) => ({ file, bucket: bucketsOfFiles[i] ?? 0 })),
        known,
      );
  const part = renderPart(model.mode, rows, share.part, share.parts);
  return keepOrRelease(borrowed, () => session.run(createRelation(name, part)));
}

/** The range in which all of a file lies, if one does: its rows need not be asked where they lie. */
function wholeRanges(
  ranges: KeyRanges,
  metadata: TableMetadata | undefined,
  files: readonly DataFile[],
): readonly (number | undefined)[] {
  if (metadata === undefined) return [];
  const lies = rangesOfFile(metadata, ranges);
  return files.map(lies).map(({ first, last }) => (first === last ? first : undefined));
}

function placeOf({ id, partitionBy }: TableShape, { ranges }: KeyedUnit): KeyPlace {
  const place = ranges ?? partitionBy[0];
  if (place === undefined) throw new RangeError(`${id} has no key bucket`);
  return place;
}

/** The staged events of a share, each with its bucket, as a relation. */
export async function renderStaged(
  { plan, model, log, unit }: KeyedContext,
  share: KeyShare,
  borrowed: Borrowed,
  deps: StepDeps,
): Promise<Sql> {
  const { events, event_buckets: buckets, part, parts } = share;
  const paths = events.map((key) => pathOf(borrowed, key));
  const { schema, columns } = await loadTarget(deps.store, plan, log);
  const place = placeOf(log, unit);
  const ids = new Map(schema.fields.map((f) => [f.name, f.id]));
  const found = columns.map((column) => ({ ...column, id: ids.get(column.name) ?? -1 }));
  if (unit.ranges !== undefined)
    return renderPart(
      model.mode,
      renderBucketRows(renderScan(found, writtenAs(found, paths)), place, columns, share.buckets),
      part,
      parts,
    );
  if (buckets === undefined && paths.length > 0)
    return renderPart(model.mode, renderMixedEvents(columns, place, paths), part, parts);
  const rows = renderBucketed(
    found,
    writtenAs(found, paths).map((file, i) => ({ file, bucket: buckets?.[i] ?? 0 })),
  );
  return renderPart(model.mode, rows, part, parts);
}

/**
 * What of the log a merge has to look at: nothing, where the bounds of its files say that all events are earlier than those
 * that are staged.
 */
export async function relevantLog(
  session: Session,
  { model: { mode }, log }: KeyedContext,
  of: BucketFiles,
): Promise<BucketFiles> {
  const { metadata, files } = of;
  const column = log.columns.find(({ name }) => name === mode.sequence);
  const field = metadata && fieldByName(currentSchema(metadata), mode.sequence);
  if (column === undefined || field === undefined || typeof field.type !== 'string' || !isBounded(column)) return of;
  const { id, type } = field;
  const text = (await session.rows(selectFirstSequence(mode)))[0]?.['first'];
  const first = typeof text === 'string' ? parseScalarText(type, text) : undefined;
  if (first === undefined) return of;
  const isEarlier = (file: DataFile): boolean => {
    const { upper } = columnRange(type, id, file);
    return upper !== undefined && compareValues(upper, first) < 0;
  };
  return files.every(isEarlier) ? { ...of, files: [] } : of;
}
