import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { partitionTuple } from '../../iceberg/partition.ts';
import { partitionFolder } from '../../iceberg/partition-path.ts';
import { POSITION_DELETES } from '../../iceberg/position-deletes.ts';
import type { Session } from '../../ports.ts';
import { listGone, writeGone } from '../../sql/positions.ts';
import type { StepDeps } from '../deps.ts';
import type { Placed } from '../run/unit-result.ts';
import { fieldIdsOf } from '../tables/field-ids.ts';
import type { Target } from '../tables/target.ts';
import { partitionPrefix } from './stage-files.ts';

/**
 * Writes where the rows lie that a merge has found to be gone: one file for each bucket, beside the data files, under a name that is
 * new on every attempt. Nothing is published.
 */
export async function stageDeletes(
  session: Session,
  rows: { readonly target: Target; readonly folder: string; readonly stem: string },
  deps: Pick<StepDeps, 'store' | 'ids'>,
): Promise<readonly Placed[]> {
  const { table, schema, spec } = rows.target;
  await mkdir(rows.folder, { recursive: true });
  const placed: Placed[] = [];
  for (const { bucket } of await session.rows(listGone())) {
    const value = String(bucket);
    const path = join(rows.folder, `${value}.parquet`);
    const [written] = await session.copy(writeGone(Number(bucket), fieldIdsOf(POSITION_DELETES), path));
    if (written === undefined || written.rows === 0) continue;
    const folder = partitionFolder(spec, schema, partitionTuple(spec, schema, [value]));
    const key = `${partitionPrefix(table, folder)}${rows.stem}-${deps.ids.unique()}-deletes.parquet`;
    await deps.store.publish(written.path, key);
    placed.push({ key, written: { ...written, path: '', partition: [{ column: spec.fields[0]?.name ?? '', value }] } });
  }
  return placed;
}
