import type { PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import { keyOfModel } from '../../lake/compare/key-of-model.ts';
import { matchColumns } from './match-columns.ts';
import { isOneTable, type Side, schemaOf } from './side.ts';

/** The key of the first side's table, where both sides have its columns, and all of them are compared. */
export function usualKey(
  from: Side,
  to: Side,
  spec: PipelineSpec | undefined,
  ignore: readonly string[] = [],
): readonly string[] | null {
  const key = keyOfTable(from.id, spec);
  const { columns } = matchColumns(schemaOf(from), schemaOf(to), isOneTable(from, to) ? 'id' : 'name');
  const left = new Set(ignore.map((name) => name.toLowerCase()));
  const has = (name: string): boolean => !left.has(name.toLowerCase()) && columns.some((one) => one.name === name);
  return key?.every(has) === true ? key : null;
}

/**
 * The columns by which the rows of a table are told apart, as its pipeline says it: its key, with the start of the version
 * where it has versions; that of its deduplication; or what is expected to be unique. Null where it says nothing, or not which
 * columns of the table.
 */
export function keyOfTable(
  { layer, name }: TableId,
  spec: Pick<PipelineSpec, 'models'> | undefined,
): readonly string[] | null {
  const model = spec?.models.find((one) => one.layer === layer && one.name === name);
  return model === undefined ? null : keyOfModel(model);
}
