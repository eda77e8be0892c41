import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../../remote/aws-error.ts';

type Input = {
  readonly Key?: string;
  readonly Body?: Uint8Array;
  readonly IfNoneMatch?: string;
  readonly IfMatch?: string;
  readonly Prefix?: string;
};

/** A bucket behind mocked S3 clients: objects by key, conditional writes, and calls that are refused while `refuse` is set. */
export function openBucket() {
  const objects = new Map<string, { readonly bytes: Uint8Array; readonly etag: string }>();
  const bucket = { objects, refuse: undefined as ((key: string) => Error | undefined) | undefined, json };
  let writes = 0;
  const s3 = mockClient(S3Client);
  const find = ({ Key = '' }: Input) => {
    guard(Key);
    const found = objects.get(Key);
    if (found === undefined) throw awsError('NoSuchKey', 404, 'no such key');
    return found;
  };
  const guard = (key: string): void => {
    const refused = bucket.refuse?.(key);
    if (refused !== undefined) throw refused;
  };
  s3.on(PutObjectCommand).callsFake(({ Key = '', Body = new Uint8Array(), IfNoneMatch, IfMatch }: Input) => {
    guard(Key);
    const held = objects.get(Key);
    const wrong = (IfNoneMatch === '*' && held) || (IfMatch !== undefined && IfMatch !== `"${held?.etag}"`);
    if (wrong) throw awsError('PreconditionFailed', 412, 'a condition did not hold');
    writes += 1;
    objects.set(Key, { bytes: Body, etag: `e${writes}` });
    return { ETag: `"e${writes}"` };
  });
  s3.on(GetObjectCommand).callsFake((input: Input) => {
    const { bytes, etag } = find(input);
    return { Body: { transformToByteArray: async () => bytes }, ETag: `"${etag}"` };
  });
  s3.on(HeadObjectCommand).callsFake((input: Input) => {
    const { bytes, etag } = find(input);
    return { ContentLength: bytes.length, ETag: `"${etag}"` };
  });
  s3.on(DeleteObjectCommand).callsFake(({ Key = '' }: Input) => void objects.delete(Key));
  const below = ({ Prefix = '' }: Input) =>
    [...objects]
      .filter(([key]) => key.startsWith(Prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([Key, { bytes, etag }]) => ({ Key, Size: bytes.length, ETag: `"${etag}"`, IsLatest: true }));
  s3.on(ListObjectsV2Command).callsFake((input: Input) => ({ Contents: below(input), IsTruncated: false }));
  s3.on(ListObjectVersionsCommand).callsFake((input: Input) => ({ Versions: below(input), IsTruncated: false }));

  function json(key: string): unknown {
    return JSON.parse(new TextDecoder().decode(objects.get(key)?.bytes));
  }
  return bucket;
}
