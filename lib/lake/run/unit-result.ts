import { addByTable, addInputs, type BytesByTable, type InputBytes, NO_INPUTS } from '../../core/input-bytes.ts';
import type { KeyRanges } from '../../core/key-ranges.ts';
import type { MergeUnit } from '../../core/merge-unit.ts';
import type { Measured } from '../../core/requests.ts';
import { addCounts, NO_ROWS, type RowCounts } from '../../core/row-counts.ts';
import type { FileOutcome, LeftFile, ModelPlan, RunPlan, RunRef, UnitItem } from '../../core/run.ts';
import { survivingFiles } from '../../plan/batches.ts';
import type { StepDeps } from '../deps.ts';
import { addMeasured } from './measure.ts';
import { readJson, readJsonIfAny, runFolder } from './run-folder.ts';
import { settlePieces } from './settle-pieces.ts';
import type { Placed, UnitResult } from './unit-record.ts';

export { emptyResult, type Placed, type ShadowResult, type UnitResult } from './unit-record.ts';

export async function readStageResults(
  deps: StepDeps,
  run: RunRef,
  level: number,
  planned: ModelPlan,
): Promise<readonly UnitResult[]> {
  return settlePieces(await readResults(deps, run, level, planned.units));
}

/** Results of units in the order of the units. Throws ObjectNotFound when one has not ended. */
export async function readResults(
  deps: StepDeps,
  run: RunRef,
  level: number,
  units: readonly string[],
): Promise<readonly UnitResult[]> {
  const results: UnitResult[] = [];
  for (const unit of units) results.push(await readJson(deps.store, runFolder.unitResult(run, level, unit)));
  return results;
}

/** The files that a model left to the next run, as units were planned and as they were staged. */
export function leftBy(planned: ModelPlan, staged: readonly UnitResult[]): readonly LeftFile[] {
  return [...(planned.left ?? []), ...staged.flatMap((r) => r.left ?? [])];
}

/** A plan that withdraws nothing of the files that were left: they were not read in place of what they had contributed. */
export function withoutLeft(plan: RunPlan, left: readonly LeftFile[]): RunPlan {
  const keys = new Set(left.map((file) => file.key));
  return keys.size === 0 ? plan : { ...plan, withdraw: plan.withdraw.filter((key) => !keys.has(key)) };
}

/** What parts of a unit did, as what the unit did. */
export function joinResults(unit: UnitResult, parts: readonly UnitResult[]): UnitResult {
  return {
    ...unit,
    counts: parts.map((part) => part.counts).reduce(addCounts, unit.counts),
    files: parts.flatMap((part) => part.files),
    left: parts.flatMap((part) => part.left ?? []),
    broken: addBroken(parts.map((part) => part.broken)),
    written: parts.flatMap((part) => part.written),
    exchanged: parts.flatMap((part) => part.exchanged),
    quarantine: parts.flatMap((part) => part.quarantine),
    ...readBy([unit, ...parts]),
  };
}

function readBy(all: readonly UnitResult[]): Required<Pick<UnitResult, 'inputs' | 'reads'>> {
  return {
    inputs: all.map(({ inputs = NO_INPUTS }) => inputs).reduce(addInputs, NO_INPUTS),
    reads: addByTable(all.map(({ reads = {} }) => reads)),
  };
}

/** What all units of a model did together. */
export type ModelOutcome = {
  readonly counts: RowCounts;
  readonly files: readonly FileOutcome[];
  readonly left: readonly LeftFile[];
  readonly broken: Readonly<Record<string, number>>;
  /** The data files that make up the table's new rows. */
  readonly written: readonly Placed[];
  readonly quarantine: readonly Placed[];
  /** A file was read in parts, by units of their own or one after the other by one. */
  readonly inParts: boolean;
  readonly logged: readonly Placed[];
  /** Files that say which rows of the table's data files are gone. */
  readonly deletes: readonly Placed[];
  readonly rewritten: readonly number[];
  readonly relogged: readonly number[];
  /** Those that these two are numbers of, where they are not buckets. */
  readonly ranges?: KeyRanges;
  readonly staging: Measured;
  readonly merging: Measured;
  readonly merge_units: number;
  /** Of the tables that units read, where that was noted. */
  readonly inputs: InputBytes;
  readonly reads: BytesByTable;
};

/** Adds up stage and merge units. Merged rows replace what they were merged from; the merge decides who is accepted. */
export async function readOutcome(
  deps: StepDeps,
  run: RunRef,
  level: number,
  planned: ModelPlan,
): Promise<ModelOutcome> {
  const results = await readResults(deps, run, level, planned.units);
  const staged = settlePieces(results);
  const merges = await readMerges(deps, run, level, planned.model);
  const replaced = new Set(merges.flatMap((m) => m.inputs));
  const merged = merges.map((m) => m.result);
  const kept = stagedFiles(planned, staged).filter((f) => !replaced.has(f.key));
  const sum = staged.map((r) => r.counts).reduce(addCounts, NO_ROWS);
  return {
    counts:
      planned.output !== 'final'
        ? settle(
            sum,
            merged.map((r) => r.counts),
          )
        : sum,
    files: staged.flatMap((r) => r.files),
    left: leftBy(planned, staged),
    broken: addBroken(staged.map((r) => r.broken)),
    written: [...kept, ...merged.flatMap((r) => r.written)],
    quarantine: staged.flatMap((r) => r.quarantine),
    inParts: results.some((r) => r.quarantine.length > 1 || r.files.some((file) => file.piece !== undefined)),
    logged: merged.flatMap((r) => r.logged),
    deletes: merged.flatMap((r) => r.deletes ?? []),
    rewritten: distinct(merged.flatMap((r) => r.rewritten)),
    relogged: distinct(merged.flatMap((r) => r.relogged)),
    ...rangesOf(merges),
    staging: addMeasured(staged),
    merging: addMeasured(merged),
    merge_units: merged.length,
    ...readBy([...staged, ...merged]),
  };
}

/** The data files that units have staged, without those whose rows a later batch has replaced. */
export function stagedFiles(planned: ModelPlan, staged: readonly UnitResult[]): readonly Placed[] {
  const { batches, mode } = planned;
  if (batches === undefined || mode === undefined) return staged.flatMap((r) => r.written);
  const byBatch = Map.groupBy(staged, (_, unit) => batches[unit] ?? 0);
  const all = [...byBatch].map(([batch, results]) => ({
    batch,
    files: results.flatMap((r) => r.written),
    counts: saysWhatIsThere(results),
  }));
  return survivingFiles(mode, all, ({ written }) => JSON.stringify(written.partition.map((p) => p.value)));
}

/** A batch of which nothing was accepted says nothing about what a table should be. */
export function saysWhatIsThere(results: readonly Pick<UnitResult, 'counts' | 'files'>[]): boolean {
  const { read, accepted } = results.map(({ counts }) => counts).reduce(addCounts, NO_ROWS);
  const ingested = results.some(({ files }) => files.some((file) => file.status === 'ingested'));
  return ingested && (read === 0 || accepted > 0);
}

function distinct(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function settle(staged: RowCounts, merged: readonly RowCounts[]): RowCounts {
  const { accepted, duplicates } = merged.reduce(addCounts, NO_ROWS);
  return { ...staged, accepted, duplicates: staged.duplicates + duplicates };
}

type Merge = { readonly inputs: readonly string[]; readonly result: UnitResult; readonly ranges?: KeyRanges };

/** All units of a merge have the same. */
function rangesOf(merges: readonly Merge[]): Pick<Merge, 'ranges'> {
  const ranges = merges.find((one) => one.ranges !== undefined)?.ranges;
  return ranges === undefined ? {} : { ranges };
}

async function readMerges(deps: StepDeps, run: RunRef, level: number, model: string): Promise<readonly Merge[]> {
  const items = (await readJsonIfAny<readonly UnitItem[]>(deps.store, runFolder.mergeUnits(run, level))) ?? [];
  const merges: Merge[] = [];
  for (const item of items) {
    const unit = await readJson<MergeUnit>(deps.store, runFolder.unit(run, level, item.unit));
    if (unit.model !== model) continue;
    const inputs = unit.kind === 'compact' ? unit.inputs : [];
    const ranges = unit.kind === 'keyed' && unit.ranges !== undefined ? { ranges: unit.ranges } : {};
    merges.push({ ...ranges, inputs, result: await readJson(deps.store, runFolder.unitResult(run, level, item.unit)) });
  }
  return merges;
}

function addBroken(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  // A map: a name may be one that every object knows, such as `constructor`.
  const sum = new Map<string, number>();
  for (const [name, rows] of all.flatMap((broken) => Object.entries(broken)))
    sum.set(name, (sum.get(name) ?? 0) + rows);
  return Object.fromEntries(sum);
}
