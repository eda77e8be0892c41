import { countRanges, type KeyBound, type KeyRanges } from '../../core/key-ranges.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { ModelPlan, RunPlan, TableShape } from '../../core/run.ts';
import { rangesOfFile } from '../../iceberg/key-ranges.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import type { Placed } from '../../lake/run/unit-result.ts';
import { openFiles, pathOf } from '../../lake/tables/foreign-files.ts';
import { loadRows, scanColumns } from '../../lake/tables/table-state.ts';
import { rangeBytes, rangeParts } from '../../plan/buckets.ts';
import { type BucketLoad, cutBounds } from '../../plan/merge-units.ts';
import { pickEvenly } from '../../plan/pack.ts';
import { cutRanges } from '../../sql/key-ranges.ts';
import { renderParquetByName, renderScan } from '../../sql/scan.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';

/** Files of so many bytes are read, as far as their keys go, to find where ranges are to be cut; of more, some stand for the others. */
const MOST_LOOKED_AT = 512 * 1024 * 1024;

/** So many keys say well enough where it is. */
const SAMPLED_BYTES = 2 * 1024 * 1024;

type Context = { readonly plan: RunPlan; readonly planned: ModelPlan; readonly model: KeyedModel };

/** Files of a table, each with the first range that may have keys of it. */
type TableFiles = {
  readonly shape: TableShape;
  readonly metadata: TableMetadata | undefined;
  readonly files: readonly { readonly file: ScannedFile; readonly range: number }[];
};

export type RangeLoads = { readonly ranges: KeyRanges; readonly loads: readonly BucketLoad[] };

/**
 * What a merge reads of each range that it touches. Where that has come to be more than a file is to have, the range is cut, by the keys that are
 * in it: so a table begins, and so it grows.
 */
export async function planRanges(
  deps: StepDeps,
  context: Context,
  staged: readonly Placed[],
  everywhere: boolean,
): Promise<RangeLoads> {
  const { plan, planned, model } = context;
  const { ranges } = planned;
  if (ranges === undefined) throw new RangeError(`${model.id} has no ranges`);
  // A rebuild makes all rows of the log, whatever the table has.
  const source = await tableFiles(
    deps,
    plan,
    planned.rebuild && planned.log !== null ? planned.log : planned.shape,
    ranges,
  );
  const events = Map.groupBy(
    staged.filter(({ written }) => written.rows > 0),
    ({ written }) => Number(written.partition[0]?.value ?? 0),
  );
  const touched = [...Array(countRanges(ranges)).keys()].filter((one) => everywhere || events.has(one));
  const bytesOf = (range: number): number =>
    sum((events.get(range) ?? []).map(({ written }) => written.bytes)) +
    sum(source.files.filter((one) => one.range === range).map(({ file }) => Number(file.bytes)));
  const { fileBytes } = plan.spec.settings;
  const all = sum(source.files.map(({ file }) => Number(file.bytes))) + sum(staged.map(({ written }) => written.bytes));
  const wanted = rangeBytes(all, fileBytes);
  const parts = new Map(
    touched.flatMap((range) => {
      const count = rangeParts(bytesOf(range), wanted);
      return count > 1 ? [[range, count] as const] : [];
    }),
  );
  const cuts = await findCuts(deps, context, source, events, parts);
  const { ranges: cut, of } = cutBounds(ranges, cuts);
  const loads = touched.flatMap((range) => {
    const numbers = of(range);
    const keys = (events.get(range) ?? []).map(({ key }) => key);
    return numbers.map((bucket) => ({ bucket, events: keys, bytes: bytesOf(range) / numbers.length }));
  });
  return { ranges: cut, loads };
}

async function tableFiles(deps: StepDeps, plan: RunPlan, shape: TableShape, ranges: KeyRanges): Promise<TableFiles> {
  const metadata = await loadRows(deps.store, plan, shape.id);
  if (metadata === undefined) return { shape, metadata, files: [] };
  const rangeOf = rangesOfFile(metadata, ranges);
  const files = await planFiles(deps.store, metadata);
  return { shape, metadata, files: files.map((file) => ({ file, range: rangeOf(file).first })) };
}

/** By range: where it is cut. */
async function findCuts(
  deps: StepDeps,
  { planned, model }: Context,
  { shape, metadata, files }: TableFiles,
  events: ReadonlyMap<number, readonly Placed[]>,
  parts: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, readonly KeyBound[]>> {
  const { ranges } = planned;
  if (parts.size === 0 || ranges === undefined) return new Map();
  const wanted = [
    ...[...parts.keys()]
      .flatMap((range) => events.get(range) ?? [])
      .map((event) => ({ event, bytes: event.written.bytes })),
    ...files.filter(({ range }) => parts.has(range)).map(({ file }) => ({ file, bytes: Number(file.bytes) })),
  ];
  const looked = pickEvenly(wanted, MOST_LOOKED_AT);
  const bytes = sum(looked.map((one) => one.bytes));
  const staged = looked.flatMap((one) => ('event' in one ? [one.event] : []));
  const there = looked.flatMap((one) => ('file' in one ? [one.file] : []));
  const columns = model.columns.filter(({ name }) => name === ranges.column);
  await using borrowed = await deps.store.borrow(staged.map(({ key }) => key));
  await using session = await deps.engine.open(deps.settings);
  await using opened = await openFiles(session, deps.store, metadata, there);
  const rows = renderScan(scanColumns(metadata, shape.columns), opened.files);
  const paths = staged.map(({ key }) => pathOf(borrowed, key));
  const from = [rows, ...(paths.length === 0 ? [] : [renderParquetByName(paths)])];
  const every = Math.ceil(bytes / SAMPLED_BYTES);
  const found = await session.rows(cutRanges({ from, ranges, columns, parts, every }));
  const cuts = found.map((row) => ({ range: Number(row['range']), bound: { at: String(row['at']) } }));
  return new Map(
    [...Map.groupBy(cuts, ({ range }) => range)].map(([range, of]) => [range, of.map(({ bound }) => bound)]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
