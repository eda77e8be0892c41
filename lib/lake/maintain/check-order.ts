import { InvalidInput } from '../../core/errors.ts';
import type { MaintainedTable } from '../../core/maintenance.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { MOST_ZORDER } from '../../core/zorder.ts';
import { currentSpec, resolveSpec } from '../../iceberg/partition.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import type { TableMetadata } from '../../iceberg/types.ts';

/**
 * Throws InvalidInput for columns that rows cannot be ordered by: unknown ones, nested ones, ones whose values are the
 * same in all of a partition, and more than a Z-order has use for.
 */
export function checkOrder(
  id: TableId,
  metadata: TableMetadata,
  { sort, zorder, rearrange }: Pick<MaintainedTable, 'sort' | 'zorder' | 'rearrange'>,
): void {
  if (!rearrange) return;
  const option = zorder.length > 0 ? '--zorder' : '--sort';
  const columns = zorder.length > 0 ? zorder : sort;
  for (const column of columns) {
    const reason = reasonAgainst(metadata, column);
    if (reason !== undefined) throw new InvalidInput(`${option} ${column}: ${reason}; table ${fullName(id)}`);
  }
  const twice = columns.find((column, at) => columns.indexOf(column) !== at);
  if (twice !== undefined) throw new InvalidInput(`${option}: got ${twice} twice; expected distinct columns`);
  if (zorder.length > MOST_ZORDER) {
    throw new InvalidInput(
      `${option}: got ${zorder.length} columns; expected at most ${MOST_ZORDER}, since each of more is hardly narrowed`,
    );
  }
}

function reasonAgainst(metadata: TableMetadata, column: string): string | undefined {
  const { fields } = currentSchema(metadata);
  const field = fields.find(({ name }) => name === column);
  if (field === undefined) {
    return `got a column that the table does not have; expected one of ${fields.map(({ name }) => name).join(', ')}`;
  }
  if (typeof field.type !== 'string') return 'got a nested column, which has no order; expected a plain one';
  const identity = resolveSpec(currentSpec(metadata), currentSchema(metadata)).some(
    ({ sourceId, transform }) => sourceId === field.id && transform.kind === 'identity',
  );
  return identity ? 'got a partition column, which is the same in all rows of a file; expected another' : undefined;
}
