import { createHash } from 'node:crypto';

import { SEEDS_FOLDER } from './seeds.ts';

/** A file that has landed, as an event reports it. `version` is absent where the bucket keeps no versions. */
export type Upload = { readonly key: string; readonly etag: string; readonly version?: string };

export type UploadOutcome =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'ignored'; readonly why: string };

/** Whether an object is a file of one of a pipeline's sources: `bronze/<pipeline>/<source>/<file>`. */
export function readUpload(pipeline: string, { size, ...upload }: Upload & { readonly size: number }): UploadOutcome {
  const { key } = upload;
  const [zone, owner, source, ...file] = key.split('/');
  if (zone !== 'bronze' || owner !== pipeline || source === undefined || source === '' || file.join('') === '') {
    return { kind: 'ignored', why: `not below bronze/${pipeline}/<source>/` };
  }
  if (source === SEEDS_FOLDER) return { kind: 'ignored', why: 'a seed, which a run has landed' };
  if (key.endsWith('/') && size === 0) return { kind: 'ignored', why: 'a folder that a console made' };
  return { kind: 'upload', upload };
}

/**
 * The end of a run of a pipeline that is followed, as it stands among uploads: what the run published has landed like a file.
 * `execution` is its ARN.
 */
export function readEnding(execution: string, input: unknown, output?: unknown): UploadOutcome {
  const coalesced =
    typeof output === 'object' && output !== null && 'status' in output && output.status === 'coalesced';
  if (coalesced) return { kind: 'ignored', why: 'another execution does what it was started for' };
  const dry = typeof input === 'object' && input !== null && 'dry_run' in input && input.dry_run === true;
  return dry
    ? { kind: 'ignored', why: 'a dry run' }
    : { kind: 'upload', upload: { key: execution, etag: 'succeeded' } };
}

/**
 * The same for every event about one upload, however often and in whatever order it is reported. A file that is uploaded
 * again with the same content is another upload, so that it starts a run: the one before may have failed.
 */
export function uploadId({ key, etag, version = '' }: Upload): string {
  return createHash('sha256').update([key, etag, version].join('\0')).digest('hex');
}

/** The name of the execution for a set of uploads, whatever their order; at most 80 letters, digits and `-`. */
export function executionName(uploads: readonly Upload[]): string {
  const hash = createHash('sha256');
  for (const id of uploads.map(uploadId).sort()) hash.update(id);
  return `upload-${hash.digest('hex').slice(0, 40)}`;
}
