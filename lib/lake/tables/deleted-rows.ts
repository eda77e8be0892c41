import { namesOf } from '../../iceberg/locations.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Engine, ObjectStore, SessionOptions } from '../../ports.ts';
import { countDeleted, type Deleted } from '../../sql/deleted-rows.ts';
import type { ScannedFile } from '../../table/read.ts';
import { pathOf } from './foreign-files.ts';

type CountDeps = { readonly store: ObjectStore; readonly engine: Engine; readonly settings: SessionOptions };

/** How many rows of data files position deletes take out. Brings only the delete files here, and nothing where there are none. */
export async function countDeletedRows(
  deps: CountDeps,
  metadata: TableMetadata,
  files: readonly ScannedFile[],
): Promise<number> {
  const partly = files.filter((file) => file.deletes.length > 0);
  if (partly.length === 0) return 0;
  const paths = [...new Set(partly.flatMap((file) => file.deletes.map((one) => one.path)))];
  await using borrowed = await deps.store.borrow(paths.map((path) => deps.store.key(path)));
  await using session = await deps.engine.open(deps.settings);
  const names = namesOf(metadata);
  const deleted = partly.map(
    (file): Deleted => ({
      names: names(file.path),
      sequence: file.sequence,
      by: file.deletes.map(({ path, sequence }) => ({ path: pathOf(borrowed, deps.store.key(path)), sequence })),
    }),
  );
  return Number((await session.rows(countDeleted(deleted)))[0]?.['rows']);
}
