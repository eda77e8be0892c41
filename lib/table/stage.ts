import { mapConcurrent } from '../core/concurrency.ts';
import { CommitConflict } from '../core/errors.ts';
import type { DataFile, ManifestEntry, ManifestFile, Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { splitDeletes } from './delete-files.ts';
import { planFullMerge, planMerge } from './merge.ts';
import { currentManifests, hasLiveFiles, isLive, readManifest } from './read.ts';
import { type Removal, type SplitManifest, splitManifests } from './removal.ts';
import { summarize } from './summary.ts';
import { createManifestWriter, type ManifestWriter, type Staging, writeManifestList } from './write.ts';

export type StageInput = {
  /** The table that the snapshot goes on top of, with the schema and spec that it will have. */
  readonly table: TableMetadata;
  readonly added: readonly DataFile[];
  /** New delete files. */
  readonly addedDeletes?: readonly DataFile[];
  /** Files that the table had and has lost since, with the age that they had. */
  readonly restored?: Restored;
  /** Manifests of exactly the added files, from an attempt before this one; written when absent. */
  readonly addedManifests?: readonly ManifestFile[];
  readonly removal: Removal;
  readonly snapshotId: bigint;
  readonly unique: string;
  /** From 1. Only the first attempt merges manifests: a retry should be as short as it can be. */
  readonly attempt: number;
  readonly summary: Readonly<Record<string, string>>;
  /** The added files hold the rows of the removed ones. */
  readonly rewrite?: boolean;
  /** All small manifests are merged, at every attempt. */
  readonly mergeAll?: boolean;
};

/** Entries of data files and of delete files. */
export type Restored = { readonly data: readonly ManifestEntry[]; readonly deletes: readonly ManifestEntry[] };

const NOTHING: Restored = { data: [], deletes: [] };

/**
 * Writes a snapshot's manifests and manifest list; the table does not know of it yet. New files lie in manifests of
 * their own, which name no sequence number, so a retry on top of another snapshot can take them as they are.
 */
export async function stageSnapshot(store: ObjectStore, input: StageInput): Promise<Snapshot> {
  const { table, snapshotId, restored = NOTHING, addedDeletes = [] } = input;
  if (table.snapshots.some((one) => one['snapshot-id'] === snapshotId)) {
    throw new CommitConflict(`${table.location} has a snapshot ${snapshotId} already: stage again with a new id`);
  }
  const sequenceNumber = table['last-sequence-number'] + 1n;
  const staging: Staging = { store, table, snapshotId, sequenceNumber, unique: input.unique };
  const writer = createManifestWriter(staging);

  const { data: carried = [], deletes = [] } = Object.groupBy(
    (await currentManifests(store, table)).filter(hasLiveFiles),
    ({ content }) => content,
  );
  const split = await splitManifests(store, table, carried, input.removal);
  const taken = split.flatMap((one) => one.removed);
  const removed = without(taken, restored.data);
  const own = input.addedManifests?.map((one) => ({ ...one, sequenceNumber, minSequenceNumber: sequenceNumber }));
  const { data: added, deletes: deleting } =
    own === undefined
      ? { data: await writeAdded(writer, input.added), deletes: await writeAdded(writer, addedDeletes, 'deletes') }
      : { data: [], deletes: [], ...Object.groupBy(own, ({ content }) => content) };
  const untouched = carried.filter((manifest) => !split.some((one) => one.manifest === manifest));
  const data = [
    ...added,
    ...(await writeRemoved(writer, removed, snapshotId)),
    ...(await writeKept(writer, split)),
    ...(await writeBySpec(writer, existing(restored.data))),
    ...(await mergeManifests(staging, writer, untouched, groupsOf(input, untouched))),
  ];
  const takenDeletes = await splitDeletes(store, table, { deletes, data }, input.removal);
  const undone = takenDeletes.map((one) => ({ ...one, removed: without(one.removed, restored.deletes) }));
  const manifests = [
    ...data,
    ...deleting,
    ...(await writeBySpec(writer, existing(restored.deletes), 'deletes')),
    ...(await writeDeletes(writer, deletes, undone, snapshotId)),
  ];
  return {
    'snapshot-id': snapshotId,
    ...parentOf(table),
    'sequence-number': sequenceNumber,
    'timestamp-ms': table['last-updated-ms'],
    'manifest-list': await writeManifestList(staging, input.attempt, manifests),
    summary: summarize({
      table,
      added: [...input.added, ...filesOf(without(restored.data, taken))],
      addedDeletes: [
        ...addedDeletes,
        ...filesOf(
          without(
            restored.deletes,
            takenDeletes.flatMap((one) => one.removed),
          ),
        ),
      ],
      removed: filesOf(removed),
      removedDeletes: undone.flatMap((one) => filesOf(one.removed)),
      undone: input.removal.kind === 'files' ? (input.removal.deletes ?? []) : [],
      snapshotId,
      manifests,
      rewrite: input.rewrite === true,
      properties: input.summary,
    }),
    'schema-id': table['current-schema-id'],
  };
}

/** A file that goes with its partition and comes back with it never was away: Iceberg's Java library removes what a snapshot says it removed. */
function without(entries: readonly ManifestEntry[], others: readonly ManifestEntry[]): readonly ManifestEntry[] {
  const paths = new Set(others.map(({ file }) => file.path));
  return entries.filter(({ file }) => !paths.has(file.path));
}

function filesOf(entries: readonly ManifestEntry[]): readonly DataFile[] {
  return entries.map(({ file }) => file);
}

function parentOf(table: TableMetadata): { 'parent-snapshot-id'?: bigint } {
  const parent = table['current-snapshot-id'] ?? null;
  return parent === null ? {} : { 'parent-snapshot-id': parent };
}

async function writeAdded(
  writer: ManifestWriter,
  files: readonly DataFile[],
  content?: ManifestFile['content'],
): Promise<readonly ManifestFile[]> {
  const entries = files.map(
    (file): ManifestEntry => ({
      status: 'added',
      snapshotId: null,
      sequenceNumber: null,
      fileSequenceNumber: null,
      file,
    }),
  );
  return writeBySpec(writer, entries, content);
}

/** Removed files have manifests of their own, which the next snapshot drops; no manifest drags dead entries along. */
async function writeRemoved(
  writer: ManifestWriter,
  removed: readonly ManifestEntry[],
  snapshotId: bigint,
): Promise<readonly ManifestFile[]> {
  return writeBySpec(
    writer,
    removed.map((entry) => ({ ...entry, status: 'deleted', snapshotId })),
  );
}

async function writeKept(writer: ManifestWriter, split: readonly SplitManifest[]): Promise<readonly ManifestFile[]> {
  const written: ManifestFile[] = [];
  for (const { manifest, kept } of split) written.push(...(await writer.write(manifest.specId, existing(kept))));
  return written;
}

/** Delete files that stay keep their manifest where all of it stays. */
async function writeDeletes(
  writer: ManifestWriter,
  deletes: readonly ManifestFile[],
  split: readonly SplitManifest[],
  snapshotId: bigint,
): Promise<readonly ManifestFile[]> {
  const written: ManifestFile[] = [];
  for (const { manifest, kept, removed } of split) {
    const gone = removed.map((entry): ManifestEntry => ({ ...entry, status: 'deleted', snapshotId }));
    written.push(...(await writer.write(manifest.specId, [...existing(kept), ...gone], 'deletes')));
  }
  return [...written, ...deletes.filter((manifest) => !split.some((one) => one.manifest === manifest))];
}

function groupsOf(
  { table, attempt, mergeAll }: StageInput,
  manifests: readonly ManifestFile[],
): readonly (readonly ManifestFile[])[] {
  if (mergeAll === true) return planFullMerge(manifests, table.properties);
  return attempt === 1 ? [planMerge(manifests, table.properties)] : [];
}

/** In the place of each group the manifests that have its live files. */
async function mergeManifests(
  { store, table }: Staging,
  writer: ManifestWriter,
  manifests: readonly ManifestFile[],
  groups: readonly (readonly ManifestFile[])[],
): Promise<readonly ManifestFile[]> {
  const merged: ManifestFile[] = [];
  for (const group of groups) {
    const specId = group[0]?.specId;
    if (specId === undefined) continue;
    const entries = await mapConcurrent(group, (manifest) => readManifest(store, table, manifest));
    merged.push(...(await writer.write(specId, existing(entries.flat().filter(isLive)))));
  }
  const gone = new Set(groups.flat());
  return [...merged, ...manifests.filter((manifest) => !gone.has(manifest))];
}

/** A file that stays keeps the snapshot and sequence numbers it came with. */
function existing(entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  return entries.map((entry) => ({ ...entry, status: 'existing' }));
}

async function writeBySpec(
  writer: ManifestWriter,
  entries: readonly ManifestEntry[],
  content?: ManifestFile['content'],
): Promise<readonly ManifestFile[]> {
  const written: ManifestFile[] = [];
  for (const [specId, group] of Map.groupBy(entries, (entry) => entry.file.specId)) {
    written.push(...(await writer.write(specId, group, content)));
  }
  return written;
}
