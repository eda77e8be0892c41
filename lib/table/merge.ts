import type { ManifestFile, TableMetadata } from '../iceberg/types.ts';
import { hasLiveFiles } from './read.ts';

/**
 * When manifests are merged. Source: https://iceberg.apache.org/docs/latest/configuration/#table-behavior-properties,
 * with a smaller default count than Java's 100: a scan reads every manifest that it cannot prune.
 */
const MIN_COUNT = 'commit.manifest.min-count-to-merge';
const TARGET_BYTES = 'commit.manifest.target-size-bytes';
const ENABLED = 'commit.manifest-merge.enabled';
const DEFAULTS = { [MIN_COUNT]: 20, [TARGET_BYTES]: 8 * 1024 * 1024 };

/**
 * The manifests that this commit should merge into one, or none. Manifests of like size are merged, `count` at a
 * time, so that each file's entry is rewritten once per power of `count` and not once per commit; a table of n
 * commits has at most about count * log(n) / log(count) manifests. One commit merges at most one group: the largest
 * bill that a commit can get is one manifest of the target size. Manifests of delete files stay as others wrote them.
 */
export function planMerge(
  manifests: readonly ManifestFile[],
  properties: TableMetadata['properties'],
): readonly ManifestFile[] {
  if (properties[ENABLED] === 'false') return [];
  const count = Math.max(2, numberProperty(properties, MIN_COUNT));
  const target = numberProperty(properties, TARGET_BYTES);
  const tiers = Map.groupBy(
    manifests.filter((manifest) => manifest.content === 'data' && Number(manifest.length) < target / 2),
    (manifest) => `${manifest.specId} ${tierOf(manifest, count)}`,
  );
  const full = [...tiers.values()].filter((tier) => tier.length >= count);
  const smallest = full.sort((a, b) => filesIn(a) - filesIn(b))[0] ?? [];
  return upToBytes(smallest, target);
}

/** Manifests above this part of the target are left as they are. */
const SMALL = 0.75;

/**
 * The groups in which all small manifests of data files become as few as they can be, each of one spec and of the target size at
 * most: for a change that is made for it, whatever the table says of commits. None where a spec has fewer than a commit merges.
 */
export function planFullMerge(
  manifests: readonly ManifestFile[],
  properties: TableMetadata['properties'],
): readonly (readonly ManifestFile[])[] {
  const count = Math.max(2, numberProperty(properties, MIN_COUNT));
  const target = numberProperty(properties, TARGET_BYTES);
  const small = manifests.filter(
    (manifest) => manifest.content === 'data' && hasLiveFiles(manifest) && Number(manifest.length) < target * SMALL,
  );
  const specs = [...Map.groupBy(small, (manifest) => manifest.specId).values()];
  return specs
    .filter((members) => members.length >= count)
    .flatMap((members) => inOrder(members, target))
    .filter((group) => group.length > 1);
}

/** Groups of neighbours of so many bytes at most. */
function inOrder(manifests: readonly ManifestFile[], target: number): readonly (readonly ManifestFile[])[] {
  const groups: ManifestFile[][] = [];
  let room = 0;
  for (const manifest of manifests) {
    room -= Number(manifest.length);
    if (room >= 0) groups.at(-1)?.push(manifest);
    else {
      groups.push([manifest]);
      room = target - Number(manifest.length);
    }
  }
  return groups;
}

/** Manifests of [1, count) files are tier 0, of [count, count^2) tier 1, and so on. */
function tierOf(manifest: ManifestFile, count: number): number {
  let tier = 0;
  for (let size = manifest.addedFiles + manifest.existingFiles; size >= count; size /= count) tier += 1;
  return tier;
}

function filesIn(manifests: readonly ManifestFile[]): number {
  return manifests.reduce((sum, manifest) => sum + manifest.addedFiles + manifest.existingFiles, 0);
}

function upToBytes(manifests: readonly ManifestFile[], target: number): readonly ManifestFile[] {
  let bytes = 0;
  const fitting = manifests.filter((manifest) => {
    bytes += Number(manifest.length);
    return bytes <= target;
  });
  return fitting.length > 1 ? fitting : [];
}

function numberProperty(properties: TableMetadata['properties'], name: keyof typeof DEFAULTS): number {
  const value = Number(properties[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : DEFAULTS[name];
}
