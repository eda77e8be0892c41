import { z } from 'zod';
import { readEnding, readUpload } from '../../core/trigger.ts';
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

/** The end of an execution of the pipeline's own machines, which its own states may not have told of. */
const otherEnd = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({ status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']) }),
});

/**
 * The end of an execution of another pipeline's state machine, which a rule lets through.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
const runEnded = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    executionArn: z.string().min(1),
    status: z.literal('SUCCEEDED'),
    input: z.string().nullish(),
    /** Left out where it is large. */
    output: z.string().nullish(),
  }),
});

export type Uploads = {
  readonly uploads: readonly ReportedUpload[];
  /** Executions that failed, timed out or were stopped, as EventBridge reports them. */
  readonly ends: readonly { readonly message: string; readonly event: unknown }[];
  /** Ids of messages that are no such event. */
  readonly malformed: readonly string[];
};

/**
 * The files that a batch of the queue's messages reports, the ends of runs that the pipeline follows, and those of its own that failed. What is no file of the
 * pipeline's sources, and a dry run, is left out.
 * Throws InvalidInput for an event that is no batch of messages.
 */
export function readUploads(pipeline: string, event: unknown, log: Log): Uploads {
  const uploads: ReportedUpload[] = [];
  const ends: { message: string; event: unknown }[] = [];
  const malformed: string[] = [];
  for (const { messageId, body } of parseEvent('Starter', batch, event).Records) {
    const content = jsonOf(body);
    if (otherEnd.safeParse(content).success) {
      ends.push({ message: messageId, event: content });
      continue;
    }
    const ended = runEnded.safeParse(content);
    if (ended.success) {
      const { executionArn, input, output } = ended.data.detail;
      const outcome = readEnding(executionArn, jsonOf(input ?? ''), jsonOf(output ?? ''));
      if (outcome.kind === 'upload') uploads.push({ message: messageId, upload: outcome.upload });
      else log.info('a run is not followed', { execution: executionArn, why: outcome.why });
      continue;
    }
    const parsed = objectCreated.safeParse(content);
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
  return { uploads, ends, malformed };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
