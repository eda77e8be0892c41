import type { InputBytes } from '../../core/input-bytes.ts';
import { planScans } from '../../iceberg/scan.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore, Session } from '../../ports.ts';
import type { ScanColumn } from '../../sql/scan.ts';
import { planFiles, type ScanOptions } from '../../table/read.ts';
import type { Needed } from '../files/bring-parts.ts';
import { type OpenedFiles, openFiles, openParts } from './foreign-files.ts';
import { predicatesOf, type TableNeeds } from './read-needs.ts';

export type NeededFiles = {
  readonly metadata: TableMetadata | undefined;
  readonly columns: readonly ScanColumn[];
  /** Left out: all of the table. */
  readonly needs: TableNeeds | undefined;
  /** Of which snapshot, and what else has to hold; left out: all of the current one. */
  readonly scan?: ScanOptions;
};

/**
 * The data files of a table that may hold a row which counts, by its partitions and the statistics of manifests, with what
 * is needed of them here.
 */
export async function openNeeded(
  { store, session }: { readonly store: ObjectStore; readonly session: Session },
  { metadata, columns, needs, scan = {} }: NeededFiles,
): Promise<OpenedFiles & { readonly bytes: InputBytes }> {
  if (metadata === undefined || needs === undefined) {
    const files = metadata === undefined ? [] : await planFiles(store, metadata, scan);
    const all = files.reduce((sum, { bytes }) => sum + Number(bytes), 0);
    return { ...(await openFiles(session, store, metadata, files)), bytes: { brought: all, kept: all, skipped: 0 } };
  }
  const alternatives = needs.alternatives.map((conditions) => predicatesOf(metadata, conditions));
  const files = await planFiles(store, metadata, { ...scan, alternatives });
  const mayMatch = planScans(metadata, alternatives).fileMayMatch;
  const opened = await openParts(session, { store, metadata }, files, {
    ...neededColumns(columns, needs),
    mayMatch,
  });
  const { brought, kept } = opened.bytes;
  const total = Number(currentSnapshot(metadata)?.summary['total-files-size'] ?? kept);
  return { ...opened, bytes: { brought, kept, skipped: Math.max(0, total - brought) } };
}

/** The columns alone, of files that are read whatever rows they have; all of them where it is not known what is needed. */
export function neededColumns(columns: readonly ScanColumn[], needs: TableNeeds | undefined): Needed {
  const needed = columns.filter(({ name }) => needs?.columns.has(name) ?? true);
  return { columns: new Set(needed.map(({ id }) => id)) };
}
