import { z } from 'zod';
import { readUpload } from '../../core/trigger.ts';
import type { Log } from '../../ports.ts';
import type { ReportedUpload } from '../../steps/start/start-runs.ts';
import { parseEvent } from './events.ts';

const batch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/**
 * S3's "Object Created" event as EventBridge delivers it. Other than in S3's own notifications, the key is plain text.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
const objectCreated = z.object({
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    object: z.object({
      key: z.string().min(1),
      etag: z.string().min(1),
      size: z.number().default(0),
      'version-id': z.string().optional(),
    }),
  }),
});

export type Uploads = {
  readonly uploads: readonly ReportedUpload[];
  /** Ids of messages that are no such event. */
  readonly malformed: readonly string[];
};

/**
 * The files that a batch of the queue's messages reports. What is no file of the pipeline's sources is left out.
 * Throws InvalidInput for an event that is no batch of messages.
 */
export function readUploads(pipeline: string, event: unknown, log: Log): Uploads {
  const uploads: ReportedUpload[] = [];
  const malformed: string[] = [];
  for (const { messageId, body } of parseEvent('Starter', batch, event).Records) {
    const parsed = objectCreated.safeParse(jsonOf(body));
    if (!parsed.success) {
      const problem = z.prettifyError(parsed.error);
      log.warn('a message is no "Object Created" event', { message: messageId, problem });
      malformed.push(messageId);
      continue;
    }
    const { 'version-id': version, ...object } = parsed.data.detail.object;
    const outcome = readUpload(pipeline, { ...object, ...(version === undefined ? {} : { version }) });
    if (outcome.kind === 'upload') uploads.push({ message: messageId, upload: outcome.upload });
    else log.info('an object is no upload', { key: object.key, why: outcome.why });
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
