import { type Change, setProperties } from './changes.ts';
import type { TableMetadata } from './types.ts';

/** How many earlier metadata files a table's log names. Source: iceberg.apache.org/docs/latest/configuration. */
export const PREVIOUS_VERSIONS_MAX = 'write.metadata.previous-versions-max';
/** Whether the files that the log names no longer are removed. */
export const DELETE_AFTER_COMMIT = 'write.metadata.delete-after-commit.enabled';

/**
 * What a table of ours says of its old metadata files: each names every snapshot, so that all of them together would
 * grow with the square of the commits. Ten are enough for readers that are at work, and to go back by hand.
 */
export const FEW_METADATA_FILES: Readonly<Record<string, string>> = {
  [DELETE_AFTER_COMMIT]: 'true',
  [PREVIOUS_VERSIONS_MAX]: '10',
};

/** Says so of a table that an earlier release made; `undefined` for one that says anything of them itself. */
export function keepFewMetadataFiles(metadata: TableMetadata): Change | undefined {
  const said = Object.keys(FEW_METADATA_FILES).some((name) => name in metadata.properties);
  return said ? undefined : setProperties(metadata, FEW_METADATA_FILES);
}
