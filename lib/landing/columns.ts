import { nameInFile, namesInFiles } from '../core/renames.ts';
import type { SourceSpec } from '../core/spec.ts';
import type { ColumnType } from '../core/types.ts';
import type { NativeType } from '../sql/native-type.ts';

/**
 * The contract against the columns that a file has, by name: their order does not matter. Answers why they don't fit:
 * a required column is missing, or there are others and drift is `fail`. `undefined` when they fit.
 */
export function checkColumns(source: SourceSpec, names: readonly string[]): string | undefined {
  const twice = source.columns.map((c) => namesInFiles(c).filter((name) => names.includes(name)));
  const [both] = twice.filter((found) => found.length > 1);
  if (both !== undefined) {
    return `line 1: the columns ${quoted(both)} are one in the contract, under its names of now and before; expected one of them`;
  }
  const missing = source.columns
    .filter((c) => c.required && c.default === undefined && nameInFile(c, names) === undefined)
    .map((c) => c.source);
  if (missing.length > 0) {
    return `line 1: required ${columns(missing)} missing; the file has ${quoted(names)}${delimiterHint(source, names)}`;
  }
  const extra = names.filter((name) => !isNamed(source, name));
  if (extra.length > 0 && source.drift === 'fail') {
    return `line 1: ${columns(extra)} not in the contract and drift is 'fail'; add it, or set drift to 'ignore' or 'evolve'`;
  }
  if (names.length > 0 && extra.length === names.length) {
    return `line 1: none of the columns ${quoted(names)} is in the contract${delimiterHint(source, names)}`;
  }
  return undefined;
}

/** Whether a column of a file is one of the contract, by its name of now or one of before. */
export function isNamed({ columns }: Pick<SourceSpec, 'columns'>, name: string): boolean {
  return columns.some((column) => namesInFiles(column).includes(name));
}

/**
 * Fields of the structs in a file's columns that the contract does not name, each with its path. They are left out, or
 * with drift `fail` the file is.
 */
export function strangeFields(
  source: SourceSpec,
  columns: readonly { readonly name: string; readonly type: NativeType }[],
): readonly string[] {
  return source.columns.flatMap((column) => {
    const found = columns.find((c) => namesInFiles(column).includes(c.name));
    return found === undefined ? [] : strangeIn(column.type, found.type, found.name);
  });
}

function strangeIn(type: ColumnType, native: NativeType, path: string): readonly string[] {
  if (type.kind === 'list' && native.kind === 'list') return strangeIn(type.element, native.element, `${path}[]`);
  if (type.kind !== 'struct' || native.kind !== 'struct') return [];
  return native.fields.flatMap((field) => {
    const named = type.fields.find((f) => f.name === field.name);
    const at = `${path}.${field.name}`;
    return named === undefined ? [at] : strangeIn(named.type, field.type, at);
  });
}

/** `column "a" is`, `columns "a", "b" are`. */
function columns(names: readonly string[]): string {
  return names.length === 1 ? `column ${quoted(names)} is` : `columns ${quoted(names)} are`;
}

const SHOWN = 20;

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name.slice(0, 100)));
  return names.length > SHOWN ? `${shown.join(', ')} and ${names.length - SHOWN} more` : shown.join(', ');
}

/** One column whose name is the contract's columns with something else between them. */
function delimiterHint(source: SourceSpec, names: readonly string[]): string {
  const [only] = names;
  if (source.format.kind !== 'csv' || only === undefined || names.length > 1 || source.columns.length < 2) return '';
  const used = [';', '\t', '|', ','].find((d) => d !== delimiterOf(source) && only.includes(d));
  return used === undefined ? '' : `; is its delimiter ${JSON.stringify(used)}?`;
}

function delimiterOf(source: SourceSpec): string {
  return source.format.kind === 'csv' ? source.format.delimiter : '';
}
