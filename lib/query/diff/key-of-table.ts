import { ROW_HASH } from '../../core/dedupe.ts';
import { isKeyed, VALID_FROM } from '../../core/keyed.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
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

function keyOfModel(model: ModelSpec): readonly string[] | null {
  if (isKeyed(model)) return model.mode.kind === 'scd2' ? [...model.mode.key, VALID_FROM] : model.mode.key;
  const dedupe = model.layer === 'silver' && model.mode.kind === 'append' ? model.mode.dedupe : null;
  if (dedupe?.by === 'key') return dedupe.columns;
  const unique = model.expect.find((one) => one.kind === 'unique')?.columns ?? null;
  return unique?.includes(ROW_HASH) === true ? null : unique;
}
