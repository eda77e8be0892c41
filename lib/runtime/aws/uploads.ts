import { z } from 'zod';
import { readUpload, type Upload } from '../../core/trigger.ts';
import type { Log } from '../../ports.ts';

const batch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/**
 * S3's "Object Created" event as EventBridge delivers it; its key is plain text, not URL-encoded.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
const objectCreated = z.object({
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    object: z.object({ key: z.string().min(1), etag: z.string().min(1), size: z.number().default(0) }),
  }),
});

export type Uploads = {
  readonly uploads: readonly Upload[];
  /** Ids of messages that are no such event. */
  readonly malformed: readonly string[];
};

/** The files that a batch of the queue's messages reports. What is no file of the pipeline's sources is left out. */
export function readUploads(pipeline: string, event: unknown, log: Log): Uploads {
  const uploads: Upload[] = [];
  const malformed: string[] = [];
  for (const { messageId, body } of batch.parse(event).Records) {
    const parsed = objectCreated.safeParse(jsonOf(body));
    if (!parsed.success) {
      log.warn('a message is no "Object Created" event', {
        message: messageId,
        problem: z.prettifyError(parsed.error),
      });
      malformed.push(messageId);
      continue;
    }
    const outcome = readUpload(pipeline, parsed.data.detail.object);
    if (outcome.kind === 'upload') uploads.push(outcome.upload);
    else log.info('an object is no upload', { key: parsed.data.detail.object.key, why: outcome.why });
  }
  return { uploads, malformed };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
