import { type _Error, DeleteObjectCommand, DeleteObjectsCommand } from '@aws-sdk/client-s3';
import { mapConcurrent } from '../../core/concurrency.ts';
import { awsFailure, isPassing } from '../aws/errors.ts';
import { callS3, placeOf, type S3Access, s3Resource } from './s3-calls.ts';

/** Keys that an error names. */
const MOST_NAMED = 10;

/** What XML has no characters for is left out. */
const IN_XML = /^[ -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

export async function removeObject(access: S3Access, key: string): Promise<void> {
  const place = placeOf(access, key);
  await callS3(access, 'DeleteObject', s3Resource(place), () => access.client.send(new DeleteObjectCommand(place)));
}

/**
 * Removes at most 1,000 objects, those of each bucket by one request. S3 answers for each key; passing faults of some are tried
 * again for those alone, until the deadline. What is refused is thrown when all that could be removed has been.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export async function removeObjects(access: S3Access, keys: readonly string[]): Promise<void> {
  const plain = keys.filter(isPlain);
  const odd = keys.filter((key) => !isPlain(key));
  for (const [bucket, members] of Map.groupBy(plain, (key) => placeOf(access, key).Bucket)) {
    await removeFrom(access, bucket, members);
  }
  await mapConcurrent(odd, (key) => removeObject(access, key));
}

/** Whether a key stays as it is inside an element of XML. */
function isPlain(key: string): boolean {
  return IN_XML.test(key) && key === key.trim();
}

async function removeFrom(access: S3Access, Bucket: string, keys: readonly string[]): Promise<void> {
  let left = keys;
  const refused: _Error[] = [];
  await callS3(access, 'DeleteObject', s3Resource({ Bucket }), async () => {
    const Objects = left.map((Key) => ({ Key }));
    const { Errors = [] } = await access.client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true }, ChecksumAlgorithm: 'CRC32' }),
    );
    const passing = Errors.filter(({ Code }) => isPassing({ name: Code }));
    refused.push(...Errors.filter((one) => !passing.includes(one)));
    const named = passing.flatMap(({ Key }) => Key ?? []);
    // A fault that names no object may be of any.
    left = named.length < passing.length ? left : named;
    if (passing.length > 0) throw errorOf(passing);
  });
  const [first] = refused;
  if (first === undefined) return;
  const resource = s3Resource({ Bucket, ...(first.Key === undefined ? {} : { Key: first.Key }) });
  throw awsFailure({ action: 's3:DeleteObject', resource }, errorOf(refused));
}

/** One error for all, named as the first, which says of every key why it was not removed. */
function errorOf(errors: readonly _Error[]): Error {
  const named = errors.slice(0, MOST_NAMED).map(({ Key, Code, Message }) => `${Key}: ${Code} (${Message})`);
  const more = errors.length > MOST_NAMED ? `, and ${errors.length - MOST_NAMED} more` : '';
  const error = new Error(`not removed (${errors.length}): ${named.join(', ')}${more}`);
  return Object.assign(error, { name: errors[0]?.Code ?? 'Error' });
}
