import type { AddedColumn, BatchRecipe, EqualKeys, HiddenColumn } from '../core/batch-recipe.ts';
import { condemnsDuplicates, dedupeColumns, dedupesByHash, keepOf, ROW_HASH } from '../core/dedupe.ts';
import { isKeyed } from '../core/keyed.ts';
import type { SilverModel } from '../core/spec.ts';

/** What is known of a batch, beside its model, before its rows are read. */
export type BatchFacts = {
  /** The table's rows are at hand; not where duplicates are found in the merge. */
  readonly known: boolean;
  /** The quarantine remembers rows of the source, or the source has a key, whose rejections are counted. */
  readonly memory: boolean;
  /** The engine raised at these files: its expressions are tried row by row. */
  readonly guarded: boolean;
  /** The files have so many shapes that one statement over all of them would be too large. */
  readonly manyShapes: boolean;
  /** The source has so many columns that no statement should have all of their checks twice. */
  readonly wide: boolean;
  /** Rows are written as data files, and not for a merge, in which their expressions would be worked out. */
  readonly final: boolean;
  /** Some records are set aside, because the engine cannot take them. */
  readonly poisoned: boolean;
  /** Rows of a keyed model turned out to lack their key or their sequence. */
  readonly incomplete?: boolean;
};

/** Decides once how a batch goes from its files to the table. */
export function planBatch(model: SilverModel, facts: BatchFacts): BatchRecipe {
  const { known, memory, guarded, manyShapes, wide, final, poisoned, incomplete = false } = facts;
  const equalRows = dedupesByHash(model) || condemnsDuplicates(model) ? { known: known && dedupesByHash(model) } : null;
  const equalKeys = planEqualKeys(model, known);
  const added = addedColumns(model);
  const toldApart =
    equalKeys !== null ||
    model.joins.length > 0 ||
    hasRowExpectations(model) ||
    // An end before the start is found row by row, and so is what raises in a merge, where only the order of ties is worked
    // out; a key or sequence that is null shows in what was written.
    (isKeyed(model) && (incomplete || model.mode.validTo !== null || model.mode.tieBreak !== null));
  const numbered = toldApart || memory || equalRows !== null;
  const pass = numbered || guarded || manyShapes ? 'tables' : 'stream';
  const carriesHash = added.some((column) => column.value === 'row_hash');
  const hidden: readonly (readonly [HiddenColumn, boolean])[] = [
    ['hash', equalRows !== null || memory || carriesHash],
    ['key', memory],
    ['nth_file', true],
    // A row that streams past has no number, without which there is no line: it is looked for in a second read. So it is
    // where expressions raise, and where statements are large as they are.
    ['failed', pass === 'tables' && !guarded && !wide],
  ];
  return {
    pass,
    keepsMapped: pass === 'tables' && (isKeyed(model) || toldApart || guarded || !final),
    byShape: manyShapes,
    guarded,
    // No statement should have the checks of very many columns twice.
    notesFaults: pass === 'stream' && !wide,
    hidden: hidden.filter(([, needed]) => needed).map(([name]) => name),
    carriesHash,
    equalRows,
    memory,
    poisoned,
    equalKeys,
    added,
  };
}

function planEqualKeys(model: SilverModel, known: boolean): EqualKeys | null {
  const key = dedupesByHash(model) ? [] : dedupeColumns(model);
  if (key.length === 0) return null;
  const keep = keepOf(model);
  const equal = { key, known, ...(keep === undefined ? {} : { keep }) };
  if (!condemnsDuplicates(model)) return { ...equal, fate: { kind: 'dropped' } };
  return { ...equal, fate: { kind: 'condemned', comparable: known && model.metadata.includes('row_hash') } };
}

function addedColumns(model: SilverModel): readonly AddedColumn[] {
  const metadata = model.metadata.map((name): AddedColumn => ({ name, value: name }));
  return dedupesByHash(model) ? [...metadata, { name: ROW_HASH, value: 'row_hash' }] : metadata;
}

function hasRowExpectations(model: SilverModel): boolean {
  return model.expect.some((expectation) => expectation.kind === 'row');
}
