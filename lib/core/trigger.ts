import { createHash } from 'node:crypto';

/** A file that has landed, as an event reports it. */
export type Upload = { readonly key: string; readonly etag: string };

export type UploadOutcome =
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'ignored'; readonly why: string };

/** Whether an object is a file of one of a pipeline's sources: `bronze/<pipeline>/<source>/<file>`. */
export function readUpload(pipeline: string, object: Upload & { readonly size: number }): UploadOutcome {
  const { key, etag, size } = object;
  const [zone, owner, source, ...file] = key.split('/');
  if (zone !== 'bronze' || owner !== pipeline || source === undefined || source === '' || file.join('') === '') {
    return { kind: 'ignored', why: `not below bronze/${pipeline}/<source>/` };
  }
  if (key.endsWith('/') && size === 0) return { kind: 'ignored', why: 'a folder that a console made' };
  return { kind: 'upload', upload: { key, etag } };
}

/** The same for every event about one content of one key, however often and in whatever order it is reported. */
export function uploadId({ key, etag }: Upload): string {
  return createHash('sha256').update(`${key}\0${etag}`).digest('hex');
}

/** The name of the execution for a set of uploads, whatever their order; at most 80 letters, digits and `-`. */
export function executionName(uploads: readonly Upload[]): string {
  const hash = createHash('sha256');
  for (const id of uploads.map(uploadId).sort()) hash.update(id);
  return `upload-${hash.digest('hex').slice(0, 40)}`;
}
