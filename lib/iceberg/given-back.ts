import { type Change, setProperties, type Update } from './changes.ts';
import type { Snapshot, TableMetadata } from './types.ts';

/** The table property by which a table says that no one may remove files. Source: iceberg.apache.org/docs/latest/configuration. */
export const GC_ENABLED = 'gc.enabled';

/** The table property that says why no one may: `FROM..TO`, the sequence numbers of snapshots that removed files which are back in use. */
export const GIVEN_BACK = 'strata.given-back';

type Range = { readonly from: bigint; readonly to: bigint };

/**
 * For a snapshot that takes files back which former ones have removed. Iceberg's Java library, when it forgets one of those,
 * removes the files that it had removed without looking whether they are in use again (IncrementalFileCleanup, 1.12.0). So
 * no one may expire snapshots of the table until those are forgotten, which `strata expire` does: it looks.
 */
export function guardGivenBack(metadata: TableMetadata, removedBy: Range): Change | undefined {
  const known = givenBack(metadata);
  if (known === undefined && metadata.properties[GC_ENABLED] === 'false') return undefined;
  const from = known !== undefined && known.from < removedBy.from ? known.from : removedBy.from;
  const to = known !== undefined && known.to > removedBy.to ? known.to : removedBy.to;
  return setProperties(metadata, { [GC_ENABLED]: 'false', [GIVEN_BACK]: `${from}..${to}` });
}

/** Whether the files of the table may be removed with their snapshots by those who look whether they are in use. */
export function mayRemoveFiles(metadata: TableMetadata): boolean {
  return metadata.properties[GC_ENABLED] !== 'false' || givenBack(metadata) !== undefined;
}

/** What lets others expire snapshots again, once none is left that removed files which are back in use. */
export function releaseGivenBack(metadata: TableMetadata, left: readonly Snapshot[]): readonly Update[] {
  const range = givenBack(metadata);
  if (range === undefined) return [];
  const removing = left.some(({ 'sequence-number': at }) => at >= range.from && at <= range.to);
  return removing ? [] : [{ action: 'remove-properties', removals: [GC_ENABLED, GIVEN_BACK] }];
}

function givenBack({ properties }: TableMetadata): Range | undefined {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(properties[GIVEN_BACK] ?? '') ?? [];
  return from === undefined || to === undefined ? undefined : { from: BigInt(from), to: BigInt(to) };
}
