import { open, readFile, stat, unlink } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import { PART_BYTES } from '../../core/requests.ts';
import { sdkErrorOf } from '../aws/errors.ts';
import { fileCrc32 } from './s3-body.ts';
import { callS3, type Place, type S3Access, s3Resource } from './s3-calls.ts';

const PARTS_AT_ONCE = 4;

/** The checksum of a file that is uploaded in parts is one of its bytes, not of the parts' checksums. */
const CHECKSUM = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const;

/**
 * Uploads a local file and removes it. Answers false when the file is not there. S3 compares a CRC32 of all that it is
 * sent; of parts also that of the file that it makes of them, and keeps it for those who read the object.
 */
export async function uploadFile(access: S3Access, path: string, place: Place): Promise<boolean> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => undefined,
  );
  if (size === undefined) return false;
  if (size > PART_BYTES) await uploadParts(access, path, place, size);
  else await uploadWhole(access, path, place);
  await unlink(path);
  return true;
}

async function uploadWhole(access: S3Access, path: string, place: Place): Promise<void> {
  const Body = await readFile(path);
  await callS3(access, 'PutObject', s3Resource(place), () =>
    access.client.send(new PutObjectCommand({ ...place, Body, ChecksumAlgorithm: 'CRC32' })),
  );
}

/** An upload that fails is aborted, so that its parts are not kept and paid for. */
async function uploadParts(access: S3Access, path: string, place: Place, size: number): Promise<void> {
  const resource = s3Resource(place);
  const created = await callS3(access, 'PutObject', resource, () =>
    access.client.send(new CreateMultipartUploadCommand({ ...place, ...CHECKSUM })),
  );
  const upload = { ...place, UploadId: created.UploadId };
  try {
    const count = Math.ceil(size / PART_BYTES);
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    const uploadPart = async (PartNumber: number): Promise<CompletedPart> => {
      const Body = await readPart(path, PartNumber, size);
      const part = await callS3(access, 'PutObject', resource, () =>
        access.client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' })),
      );
      return { PartNumber, ETag: part.ETag };
    };
    const parts = await mapConcurrent(numbers, uploadPart, PARTS_AT_ONCE);
    const whole = { ChecksumType: CHECKSUM.ChecksumType, ChecksumCRC32: await fileCrc32(path) };
    await complete(access, { ...upload, ...whole, MultipartUpload: { Parts: [...parts] } }, resource);
  } catch (cause) {
    // The first failure is what matters; a lifecycle rule removes what an abort could not.
    await access.client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw cause;
  }
}

/** When an answer was lost, the repetition finds no upload any more: it is complete. */
async function complete(
  access: S3Access,
  input: ConstructorParameters<typeof CompleteMultipartUploadCommand>[0],
  resource: string,
): Promise<void> {
  let attempts = 0;
  const isComplete = (cause: unknown): boolean => attempts > 1 && sdkErrorOf(cause).name === 'NoSuchUpload';
  await callS3(
    access,
    'PutObject',
    resource,
    (attempt) => {
      attempts = attempt;
      return access.client.send(new CompleteMultipartUploadCommand(input));
    },
    isComplete,
  ).catch((cause: unknown) => {
    if (!isComplete(cause)) throw cause;
  });
}

async function readPart(path: string, number: number, size: number): Promise<Uint8Array> {
  const start = (number - 1) * PART_BYTES;
  const bytes = new Uint8Array(Math.min(PART_BYTES, size - start));
  const file = await open(path);
  try {
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    if (bytesRead === bytes.length) return bytes;
    throw new InvalidInput(
      `${path} became shorter while it was uploaded: got ${start + bytesRead} bytes; expected ${size}`,
    );
  } finally {
    await file.close();
  }
}
