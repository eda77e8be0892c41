import type { S3Client } from '@aws-sdk/client-s3';
import { InvalidInput, StrataError } from '../../core/errors.ts';
import { type Area, EXPORTS, ZONES, type Zone, zoneOf } from '../../core/objects.ts';
import { awsFailure, isPassing, sdkErrorOf } from '../aws/errors.ts';
import { checkKey } from './keys.ts';

/** In the order of keys. */
export const ORDERED_AREAS: readonly Area[] = ([...ZONES, EXPORTS] as const).toSorted();

/** What every call of the store needs. */
export type S3Access = {
  readonly client: S3Client;
  /** The bucket of each zone that may be used. */
  readonly buckets: { readonly [zone in Zone]?: string };
  readonly wait: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Milliseconds for which passing faults of one call are tried again. */
  readonly deadlineMs: number;
};

/** Where an object lies; its key in the bucket is the whole key. */
export type Place = { readonly Bucket: string; readonly Key: string };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** The bucket and key of a store key. Throws InvalidInput for a bad key and for a zone without a bucket. */
export function placeOf(access: Pick<S3Access, 'buckets'>, key: string): Place {
  checkKey(key);
  const slash = key.indexOf('/');
  const bucket = bucketOf(access, slash < 0 ? key : key.slice(0, slash));
  if (slash > 0 && bucket !== undefined) return { Bucket: bucket, Key: key };
  const known = Object.keys(access.buckets).join(', ');
  throw new InvalidInput(
    `no bucket for the key ${JSON.stringify(key)}: expected it to begin with one of the zones ${known}, each followed by '/'. ` +
      'A function is given the buckets of the zones that it may use, as STRATA_<ZONE>_BUCKET',
  );
}

/** Undefined for what begins no key, and where no bucket is given. */
export function bucketOf({ buckets }: Pick<S3Access, 'buckets'>, word: string): string | undefined {
  const area = ORDERED_AREAS.find((one) => one === word);
  return area && buckets[zoneOf(area)];
}

/** The right that a read needs; one version of an object is read with another. */
export function readAction(version: string | undefined): string {
  return version === undefined ? 'GetObject' : 'GetObjectVersion';
}

export function s3Resource({ Bucket, Key }: { readonly Bucket: string; readonly Key?: string }): string {
  return `s3://${Bucket}/${Key ?? ''}`;
}

/**
 * Makes a call until it ends, or passing faults have gone on for the deadline; pauses grow, with full jitter.
 * `attempt` counts from 1. Throws what `awsFailure` makes of the last error, or the error itself where `keep` wants it
 * or where it is ours already.
 * Source: aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter
 */
export async function callS3<T>(
  access: S3Access,
  action: string,
  resource: string,
  act: (attempt: number) => Promise<T>,
  keep: (cause: unknown) => boolean = () => false,
): Promise<T> {
  const end = access.now() + access.deadlineMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act(attempt);
    } catch (cause) {
      if (keep(cause) || (cause instanceof StrataError && !cause.retryable)) throw cause;
      if (!isPassing(cause) || access.now() >= end) throw awsFailure({ action: `s3:${action}`, resource }, cause);
      await pause(access, attempt);
    }
  }
}

/** Waits before attempt `attempt` + 1. */
export function pause({ wait, random }: Pick<S3Access, 'wait' | 'random'>, attempt: number): Promise<void> {
  return wait(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
}

export function isMissing(cause: unknown): boolean {
  const { name, status } = sdkErrorOf(cause);
  return name === 'NoSuchKey' || name === 'NoSuchVersion' || (status === 404 && name !== 'NoSuchBucket');
}

/** The condition of a call did not hold. */
export function isUnmatched(cause: unknown): boolean {
  return sdkErrorOf(cause).status === 412 || sdkErrorOf(cause).name === 'PreconditionFailed';
}

/** The condition of a write did not hold: 412, or 404 where an object had to be there. */
export function isRefused(cause: unknown): boolean {
  return isUnmatched(cause) || isMissing(cause);
}

/** Another conditional write of the key was under way; S3 asks to try again. */
export function isContended(cause: unknown): boolean {
  const { name, status } = sdkErrorOf(cause);
  return name === 'ConditionalRequestConflict' || status === 409;
}

/** S3 writes etags in quotes. */
export function plainEtag(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}
