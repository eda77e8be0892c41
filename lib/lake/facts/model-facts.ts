import { createHash } from 'node:crypto';
import type { ColumnFacts, FilesRead, ModelFacts } from '../../core/facts.ts';
import { isKeyed } from '../../core/keyed.ts';
import type { FileOutcome, ModelPlan } from '../../core/run.ts';
import type { ModelSpec } from '../../core/spec.ts';
import { type LeafField, leafFields } from '../../iceberg/schema.ts';
import { parseStatText } from '../../iceberg/text.ts';
import type { Schema } from '../../iceberg/types.ts';
import { compareValues } from '../../iceberg/values.ts';
import type { ColumnStats } from '../../ports.ts';
import type { ModelOutcome, Placed } from '../run/unit-result.ts';

/** Texts may be long; what is kept tells one from another. */
const LONGEST_BOUND = 100;

/** What a model's units did. `held`: columns of keys that an audit has found unique in the table, and those that it has not. */
export function modelFacts(
  model: ModelSpec,
  planned: Pick<ModelPlan, 'units'>,
  outcome: ModelOutcome,
  table: { readonly schema: Schema | undefined; readonly held: KeysHeld },
): ModelFacts {
  const { schema, held } = table;
  const { staging, merging, merge_units, written, files, reads } = outcome;
  return {
    staging,
    merging,
    units: planned.units.length,
    merge_units,
    source: model.layer === 'gold' ? null : filesRead(files),
    columns: schema === undefined ? [] : columnFacts(written, leafFields(schema), rulesOf(model, held)),
    reads,
  };
}

/** By a column's name: whether the key that it is part of was unique, and whether it is all of that key. */
export type KeysHeld = ReadonlyMap<string, { readonly held: boolean; readonly alone: boolean }>;

type Rules = { readonly personal: ReadonlySet<string>; readonly held: KeysHeld };

/** No merge publishes a table in which a key has two rows that are open; in a history it has others beside it. */
function rulesOf(model: ModelSpec, held: KeysHeld): Rules {
  const key = isKeyed(model) ? model.mode.key : [];
  const alone = isKeyed(model) && model.mode.kind === 'upsert' && key.length === 1;
  const own = key.map((name) => [name, { held: true, alone }] as const);
  return { personal: new Set(model.personal), held: new Map([...own, ...held]) };
}

export type FileOf = Pick<FileOutcome, 'key' | 'etag' | 'size'>;

/** Null of none. Parts of a file are that file. */
export function filesRead(files: readonly FileOf[]): FilesRead | null {
  const each = new Map(files.map((file) => [`${file.etag} ${file.key}`, file]));
  if (each.size === 0) return null;
  const names = [...each.keys()].sort();
  const bytes = [...each.values()].reduce((sum, { size }) => sum + size, 0);
  const [only] = each.values();
  const one = each.size === 1 ? only?.etag : undefined;
  return {
    files: each.size,
    bytes,
    version: one ?? createHash('sha256').update(names.join('\n')).digest('hex'),
  };
}

/** Columns that the table lacks, and those inside lists, say nothing of its rows. */
function columnFacts(
  written: readonly Placed[],
  leaves: readonly LeafField[],
  { personal, held }: Rules,
): readonly ColumnFacts[] {
  const rows = written.reduce((sum, file) => sum + file.written.rows, 0);
  if (rows === 0) return [];
  const stats = Map.groupBy(
    written.flatMap((file) => file.written.columns),
    ({ path }) => JSON.stringify(path),
  );
  return leaves.flatMap((leaf) => {
    const own = stats.get(JSON.stringify(leaf.path));
    const [name = ''] = leaf.path;
    if (own === undefined || leaf.insideList) return [];
    const nulls = own.reduce((sum, column) => sum + column.nulls, 0);
    const unique = held.get(name);
    const bounds = boundsOf(own, leaf);
    const distinct = distinctOf({ filled: rows - nulls, key: unique?.held === true && unique.alone, ...bounds });
    const shown = personal.has(name) ? { min: null, max: null } : { min: cut(bounds.min), max: cut(bounds.max) };
    return [{ column: leaf.path.join('.'), rows, nulls, distinct, ...shown, unique: unique?.held ?? null }];
  });
}

type Told = Pick<ColumnFacts, 'min' | 'max'> & { readonly filled: number; readonly key: boolean };

/** How many values there are, where the statistics tell: none, only one, or another in each row. */
function distinctOf({ filled, key, min, max }: Told): number | null {
  if (filled === 0 || key) return filled;
  return min !== null && min === max ? 1 : null;
}

/** Null where one of the files that has values doesn't say, or says what is no value of the type. */
function boundsOf(stats: readonly ColumnStats[], { type }: LeafField): Pick<ColumnFacts, 'min' | 'max'> {
  const filled = stats.filter(({ values, nulls }) => values > nulls);
  const edge = (texts: readonly (string | null)[], sign: 1 | -1): string | null => {
    const values = texts.flatMap((text) => {
      const value = text === null ? undefined : parseStatText(type, text);
      return text === null || value === undefined ? [] : [{ text, value }];
    });
    if (values.length < texts.length) return null;
    const [first] = values.sort((a, b) => sign * compareValues(a.value, b.value));
    return first === undefined ? null : textOf(type, first.text);
  };
  return {
    min: edge(
      filled.map(({ min }) => min),
      1,
    ),
    max: edge(
      filled.map(({ max }) => max),
      -1,
    ),
  };
}

/** DuckDB says 0 and 1 of booleans. */
function textOf(type: string, text: string): string {
  if (type === 'boolean') return text === '1' || text === 'true' ? 'true' : 'false';
  return text;
}

function cut(text: string | null): string | null {
  return text === null ? null : [...text.slice(0, 2 * LONGEST_BOUND)].slice(0, LONGEST_BOUND).join('');
}
