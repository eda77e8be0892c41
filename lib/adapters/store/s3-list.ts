import {
  type DeleteMarkerEntry,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectVersion,
} from '@aws-sdk/client-s3';
import { InvalidInput } from '../../core/errors.ts';
import { type Area, zoneOf } from '../../core/objects.ts';
import type { ListOptions, ObjectInfo } from '../../ports.ts';
import { compareKeys, wrongInKey } from './keys.ts';
import { bucketOf, callS3, ORDERED_AREAS, plainEtag, type S3Access, s3Resource } from './s3-calls.ts';

/**
 * Objects under a prefix, in key order. Of bronze every upload is listed, also those that were overwritten since.
 * Folders that a console made are left out. An object that no key of a lake can name is skipped by name.
 */
export async function* listObjects(
  access: S3Access,
  prefix: string,
  { ignore = () => false, skipped }: ListOptions,
): AsyncIterable<ObjectInfo> {
  for (const area of areasUnder(access, prefix)) {
    const bucket = bucketOf(access, area);
    if (bucket === undefined) continue;
    // A bucket may hold what is none of the lake's, such as the results of queries.
    const within = prefix.startsWith(`${area}/`) ? prefix : `${area}/`;
    const found = area === 'bronze' ? listUploads(access, bucket, within) : listCurrent(access, bucket, within);
    for await (const info of found) {
      if ((info.key.endsWith('/') && info.size === 0) || ignore(info.key)) continue;
      const wrong = wrongInKey(info.key);
      if (wrong === undefined) yield info;
      else if (skipped !== undefined) skipped({ name: info.key, reason: `no key of a lake ${wrong}` });
      else throw unlistable(bucket, info.key, wrong);
    }
  }
}

function unlistable(bucket: string, key: string, wrong: string): InvalidInput {
  return new InvalidInput(
    `an object of s3://${bucket} cannot be read: got the key ${JSON.stringify(key)}, which ${wrong}. Rename or remove it`,
  );
}

/** The names one level below a prefix; those of folders end in `/`. */
export async function listNames(access: S3Access, prefix: string): Promise<readonly string[]> {
  if (prefix === '')
    return ORDERED_AREAS.filter((area) => bucketOf(access, area) !== undefined).map((area) => `${area}/`);
  const names: string[] = [];
  for (const area of areasUnder(access, prefix)) {
    const Bucket = bucketOf(access, area);
    let ContinuationToken: string | undefined;
    do {
      const page = await callS3(access, 'ListBucket', s3Resource({ Bucket: Bucket ?? '', Key: prefix }), () =>
        access.client.send(
          new ListObjectsV2Command({ Bucket, Prefix: prefix, Delimiter: '/', EncodingType: 'url', ContinuationToken }),
        ),
      );
      for (const { Prefix } of page.CommonPrefixes ?? []) names.push(decoded(page, Prefix).slice(prefix.length));
      // A folder that a console made is an object of the folder's own name.
      for (const { Key } of page.Contents ?? []) names.push(decoded(page, Key).slice(prefix.length));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }
  return names.filter((name) => name !== '').sort(compareKeys);
}

/** Areas whose keys may begin with the prefix. Throws InvalidInput for a prefix inside one without a bucket. */
function areasUnder(access: S3Access, prefix: string): readonly Area[] {
  const areas = ORDERED_AREAS.filter((area) => prefix.startsWith(`${area}/`) || `${area}/`.startsWith(prefix));
  const closed = areas.find((area) => bucketOf(access, area) === undefined && prefix.startsWith(`${area}/`));
  if (closed === undefined) return areas;
  throw new InvalidInput(
    `cannot list ${JSON.stringify(prefix)}: no bucket is given for the zone ${closed}; expected STRATA_${zoneOf(closed).toUpperCase()}_BUCKET`,
  );
}

async function* listCurrent(access: S3Access, Bucket: string, Prefix: string): AsyncIterable<ObjectInfo> {
  let ContinuationToken: string | undefined;
  do {
    const page = await callS3(access, 'ListBucket', s3Resource({ Bucket, Key: Prefix }), () =>
      access.client.send(new ListObjectsV2Command({ Bucket, Prefix, EncodingType: 'url', ContinuationToken })),
    );
    for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
      yield { key: decoded(page, Key), size: Size ?? 0, etag: plainEtag(ETag), modified: LastModified?.getTime() ?? 0 };
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
}

/**
 * Every content that a key has had: overwritten versions too, the oldest first, equal contents once. What lies behind a
 * delete marker was withdrawn.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
 */
async function* listUploads(access: S3Access, Bucket: string, Prefix: string): AsyncIterable<ObjectInfo> {
  let open: { key: string; found: Entry[] } | undefined;
  for await (const entry of listEntries(access, Bucket, Prefix)) {
    if (open !== undefined && open.key !== entry.key) yield* uploadsOf(open.found);
    if (open === undefined || open.key !== entry.key) open = { key: entry.key, found: [] };
    open.found.push(entry);
  }
  if (open !== undefined) yield* uploadsOf(open.found);
}

type Entry = { readonly key: string; readonly modified: number; readonly latest: boolean; readonly info?: ObjectInfo };

/** Entries of one key after another; within a key the newest first. */
async function* listEntries(access: S3Access, Bucket: string, Prefix: string): AsyncIterable<Entry> {
  let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
  for (;;) {
    const page = await callS3(access, 'ListBucketVersions', s3Resource({ Bucket, Key: Prefix }), () =>
      access.client.send(new ListObjectVersionsCommand({ Bucket, Prefix, EncodingType: 'url', ...markers })),
    );
    const versions = (page.Versions ?? []).map((version) => versionEntry(page, version));
    const deletions = (page.DeleteMarkers ?? []).map((marker) => markerEntry(page, marker));
    yield* inOrder(versions, deletions);
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    markers = {
      KeyMarker: decoded(page, page.NextKeyMarker),
      ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
    };
  }
}

function versionEntry(page: Page, { Key, Size, ETag, LastModified, VersionId, IsLatest }: ObjectVersion): Entry {
  const key = decoded(page, Key);
  const modified = LastModified?.getTime() ?? 0;
  const info = { key, size: Size ?? 0, etag: plainEtag(ETag), modified };
  // What was written before versioning was switched on is the version 'null', by which it can be read like any other.
  return { key, modified, latest: IsLatest ?? false, info: { ...info, ...(VersionId && { version: VersionId }) } };
}

function markerEntry(page: Page, { Key, LastModified, IsLatest }: DeleteMarkerEntry): Entry {
  return { key: decoded(page, Key), modified: LastModified?.getTime() ?? 0, latest: IsLatest ?? false };
}

/**
 * A page has its versions and its delete markers in two lists, each in S3's order; times, which tell how the lists
 * belong together, are whole seconds. A file that was removed in the second in which it came counts as overwritten
 * instead: better read once too often than lost.
 */
function inOrder(versions: readonly Entry[], markers: readonly Entry[]): readonly Entry[] {
  const waiting = [...markers];
  const merged: Entry[] = [];
  for (const version of versions) {
    while (waiting[0] !== undefined && isBefore(waiting[0], version)) merged.push(...waiting.splice(0, 1));
    merged.push(version);
  }
  return [...merged, ...waiting];
}

function isBefore(marker: Entry, version: Entry): boolean {
  if (marker.key !== version.key) return compareKeys(marker.key, version.key) < 0;
  return marker.latest || (!version.latest && marker.modified > version.modified);
}

/** Of equal contents the newest is read, since old versions expire first. */
function uploadsOf(newestFirst: readonly Entry[]): readonly ObjectInfo[] {
  const uploads = new Map<string, ObjectInfo>();
  for (const { info } of newestFirst) {
    if (info === undefined) break;
    if (!uploads.has(info.etag)) uploads.set(info.etag, info);
  }
  return [...uploads.values()].reverse();
}

type Page = { readonly EncodingType?: string | undefined };

/** XML cannot hold every character of a key, so S3 is asked for URL-encoded ones, and says whether it obliged. */
function decoded({ EncodingType }: Page, text: string | undefined): string {
  const given = text ?? '';
  return EncodingType === 'url' ? decodeURIComponent(given.replaceAll('+', ' ')) : given;
}
