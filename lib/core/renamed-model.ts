import { isKeyedMode } from './keyed.ts';
import { renameWords } from './renames.ts';
import type { Expectation, KeyedMode, ModelMode, ModelSpec, SourceSpec } from './spec.ts';

type Names = ReadonlyMap<string, string>;

/** A model as it would be if its columns, and those that it reads, had other names. */
export function renameModel<Model extends ModelSpec>(model: Model, names: Names): Model {
  if (names.size === 0) return model;
  const renamed = {
    ...model,
    sql: renameWords(model.sql, names),
    columns: model.columns.map((column) => ({ ...column, name: names.get(column.name) ?? column.name })),
    partitionBy: model.partitionBy.map((field) => ({ ...field, column: names.get(field.column) ?? field.column })),
    expect: model.expect.map((one) => renameExpectation(one, names)),
  };
  return model.layer === 'silver' ? { ...renamed, mode: renameMode(model.mode, names) } : renamed;
}

/** A mode by which rows are told apart as before, only under other names. */
export function renameMode<Mode extends ModelMode>(mode: Mode, names: Names): Mode {
  if (isKeyedMode(mode)) return { ...mode, ...renameKeyed(mode, names) };
  if (mode.kind !== 'append' || mode.dedupe?.by !== 'key') return mode;
  const { keep, ...dedupe } = mode.dedupe;
  const kept = keep === undefined ? {} : { keep: renameWords(keep, names) };
  return { ...mode, dedupe: { ...dedupe, columns: renameAll(dedupe.columns, names), ...kept } };
}

function renameKeyed(mode: KeyedMode, names: Names): Partial<KeyedMode> {
  const words = (sql: string | null): string | null => (sql === null ? null : renameWords(sql, names));
  return {
    key: renameAll(mode.key, names),
    sequence: names.get(mode.sequence) ?? mode.sequence,
    track: renameAll(mode.track, names),
    deleteWhen: words(mode.deleteWhen),
    tieBreak: words(mode.tieBreak),
    validTo: mode.validTo === null ? null : (names.get(mode.validTo) ?? mode.validTo),
  };
}

function renameExpectation(one: Expectation, names: Names): Expectation {
  switch (one.kind) {
    case 'row':
      return { ...one, condition: renameWords(one.condition, names) };
    case 'unique':
      return { ...one, columns: renameAll(one.columns, names) };
    case 'sql':
      return { ...one, query: renameWords(one.query, names) };
    case 'rowCount':
      return one;
  }
}

/** A source as it would be if its columns had other names in SQL. */
export function renameSource(source: SourceSpec, names: Names): SourceSpec {
  const columns = source.columns.map((column) => ({
    ...column,
    name: names.get(column.name) ?? column.name,
    checks: column.checks.map((check) =>
      check.kind === 'sql' ? { ...check, condition: renameWords(check.condition, names) } : check,
    ),
  }));
  return { ...source, columns, key: renameAll(source.key, names) };
}

function renameAll(list: readonly string[], names: Names): readonly string[] {
  return list.map((name) => names.get(name) ?? name);
}
