import { partitionTuple } from '../../iceberg/partition.ts';
import { POSITION_DELETES } from '../../iceberg/position-deletes.ts';
import { boundsProperty, dataFileOf, WHOLE } from '../../iceberg/stats.ts';
import type { DataFile, PartitionSpec, Schema } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import type { Placed } from '../run/unit-result.ts';

/** Placed files as manifest entries of their table. */
export function dataFilesOf(
  store: ObjectStore,
  placed: readonly Placed[],
  target: {
    readonly schema: Schema;
    readonly spec: PartitionSpec;
    readonly properties?: Readonly<Record<string, string>>;
  },
): readonly DataFile[] {
  const { schema, spec, properties = {} } = target;
  return placed.map(({ key, written }) =>
    dataFileOf({
      written,
      schema,
      spec,
      properties,
      location: store.location(key),
      partition: partitionTuple(
        spec,
        schema,
        written.partition.map((p) => p.value),
      ),
    }),
  );
}

/** By whole bounds of their paths, delete files show which data files they say nothing of. */
const WHOLE_PATHS = { [boundsProperty('file_path')]: WHOLE };

/** Placed files of position deletes as manifest entries of their table. */
export function deleteFilesOf(
  store: ObjectStore,
  placed: readonly Placed[],
  { schema, spec }: { readonly schema: Schema; readonly spec: PartitionSpec },
): readonly DataFile[] {
  return placed.map(({ key, written }) =>
    dataFileOf({
      written,
      schema: POSITION_DELETES,
      spec,
      properties: WHOLE_PATHS,
      location: store.location(key),
      partition: partitionTuple(
        spec,
        schema,
        written.partition.map((p) => p.value),
      ),
    }),
  );
}
