import type { KeyRanges } from '../../core/key-ranges.ts';
import type { KeyedModel } from '../../core/keyed.ts';
import type { RunPlan } from '../../core/run.ts';
import { rangesOfFiles } from '../../iceberg/key-ranges.ts';
import { bytesTogether } from '../../plan/buckets.ts';
import type { ObjectStore } from '../../ports.ts';
import { planFiles } from '../../table/read.ts';
import { loadRows } from './table-state.ts';

/** The ranges in which a run stages events of a table: those of its files. All keys are in one where a table is made or rebuilt. */
export async function plannedRanges(
  store: ObjectStore,
  plan: RunPlan,
  { id, mode }: KeyedModel,
  rebuild: boolean,
): Promise<KeyRanges> {
  const [column = ''] = mode.key;
  const metadata = rebuild ? undefined : await loadRows(store, plan, id);
  if (metadata === undefined) return { column, bounds: [] };
  const files = await planFiles(store, metadata);
  const bytes = files.reduce((sum, file) => sum + Number(file.bytes), 0);
  return rangesOfFiles(metadata, column, files, bytesTogether(bytes, plan.spec.settings.fileBytes));
}
