import type { AddedColumn, BatchRecipe, EqualKeys, HiddenColumn } from '../core/batch-recipe.ts';
import { condemnsDuplicates, dedupeColumns, dedupesByHash, ROW_HASH } from '../core/dedupe.ts';
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
  /** Some records are set aside, because the engine cannot take them. */
  readonly poisoned: boolean;
};

/** Decides once how a batch goes from its files to the table. */
export function planBatch(model: SilverModel, facts: BatchFacts): BatchRecipe {
  const { known, memory, guarded, manyShapes, poisoned } = facts;
  const equalRows = dedupesByHash(model) || condemnsDuplicates(model) ? { known: known && dedupesByHash(model) } : null;
  const equalKeys = planEqualKeys(model, known);
  const added = addedColumns(model);
  const has = (value: AddedColumn['value']): boolean => added.some((column) => column.value === value);
  const hidden: readonly (readonly [HiddenColumn, boolean])[] = [
    ['hash', equalRows !== null || memory || has('row_hash')],
    ['file', isKeyed(model) || has('source_file')],
    ['key', memory],
  ];
  const wanted = hidden.filter(([, needed]) => needed).map(([name]) => name);
  // The events of a keyed model say their file themselves.
  const placed: readonly HiddenColumn[] = isKeyed(model) ? [] : ['nth_file'];
  const numbered =
    wanted.length > 0 ||
    equalRows !== null ||
    equalKeys !== null ||
    model.joins.length > 0 ||
    hasRowExpectations(model);
  return {
    pass: numbered || guarded || manyShapes ? 'tables' : 'stream',
    byShape: manyShapes,
    guarded,
    hidden: [...wanted, ...placed],
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
  if (!condemnsDuplicates(model)) return { key, known, fate: { kind: 'dropped' } };
  return { key, known, fate: { kind: 'condemned', comparable: known && model.metadata.includes('row_hash') } };
}

function addedColumns(model: SilverModel): readonly AddedColumn[] {
  const metadata = model.metadata.map((name): AddedColumn => ({ name, value: name }));
  return dedupesByHash(model) ? [...metadata, { name: ROW_HASH, value: 'row_hash' }] : metadata;
}

function hasRowExpectations(model: SilverModel): boolean {
  return model.expect.some((expectation) => expectation.kind === 'row');
}
