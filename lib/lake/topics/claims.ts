import { z } from 'zod';
import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import type { OffsetRange } from './ranges.ts';

/**
 * The range of a partition that is landed now, or was last. Of several consumers one writes it, each for the range that follows the one
 * before; the others find it, and land the very same file where its writer has died. What has landed is said by the files alone.
 */
export type Claim = OffsetRange & {
  readonly topicId: string;
  /** The first offset that was ever claimed. */
  readonly start: bigint;
};

export type FoundClaim = { readonly claim: Claim; readonly etag: string };

const whole = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt);
const CLAIM = z.object({ topic_id: z.string(), start: whole, first: whole, last: whole });

/** `ops/<pipeline>/_topics/<source>/<topic>/<partition>.json`. */
export function claimKey(pipeline: string, source: string, topic: string, partition: number): string {
  return `ops/${pipeline}/_topics/${source}/${topic}/${partition}.json`;
}

export async function readClaim(store: ObjectStore, key: string): Promise<FoundClaim | undefined> {
  try {
    const { bytes, etag } = await store.read(key);
    return { claim: parseClaim(new TextDecoder().decode(bytes), key), etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

function parseClaim(text: string, key: string): Claim {
  try {
    const { topic_id: topicId, ...offsets } = CLAIM.parse(JSON.parse(text));
    return { topicId, ...offsets };
  } catch (cause) {
    throw new InvalidInput(`${key} is no claim of offsets: remove it, and consume again`, [], { cause });
  }
}

/** Its etag; undefined where another has claimed since. */
export async function writeClaim(
  store: ObjectStore,
  key: string,
  { topicId, start, first, last }: Claim,
  before: string | undefined,
): Promise<string | undefined> {
  const texts = { topic_id: topicId, start: String(start), first: String(first), last: String(last) };
  const bytes = new TextEncoder().encode(`${JSON.stringify(texts)}\n`);
  const outcome = await store.write(
    key,
    bytes,
    before === undefined ? { kind: 'absent' } : { kind: 'match', etag: before },
  );
  return outcome.kind === 'written' ? outcome.etag : undefined;
}
