import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { JsonValue } from '../../lib/ports.ts';
import { callJson, type JsonObject, type Moto } from './moto-calls.ts';

export type Upload = { readonly source: string; readonly path: string };

/** An event as EventBridge delivers it. */
export type S3Event = JsonObject & { readonly id: string };

/** Uploads files to bronze, and answers the events that S3 would report. */
export async function upload(
  s3: S3Client,
  moto: Moto,
  target: { readonly bucket: string; readonly pipeline: string },
  uploads: readonly Upload[],
): Promise<readonly S3Event[]> {
  const events: S3Event[] = [];
  for (const { source, path } of uploads) {
    const place = { Bucket: target.bucket, Key: `bronze/${target.pipeline}/${source}/${basename(path)}` };
    await s3.send(new PutObjectCommand({ ...place, Body: await readFile(path) }));
    const head = await s3.send(new HeadObjectCommand(place));
    events.push({
      version: '0',
      id: `event-${events.length}-${place.Key}`,
      source: 'aws.s3',
      'detail-type': 'Object Created',
      account: moto.account,
      region: moto.region,
      time: '2026-01-01T00:00:00Z',
      resources: [`arn:aws:s3:::${target.bucket}`],
      detail: {
        version: '0',
        bucket: { name: target.bucket },
        object: {
          key: place.Key,
          size: head.ContentLength,
          etag: (head.ETag ?? '').replaceAll('"', ''),
          'version-id': head.VersionId,
          sequencer: String(events.length).padStart(16, '0'),
        },
        reason: 'PutObject',
      },
    });
  }
  return events;
}

/** The event patterns of the rules that were deployed, by the start of the rule's name. */
export async function readPattern(moto: Moto, start: string): Promise<JsonObject> {
  type Rules = { readonly Rules: readonly { readonly Name: string; readonly EventPattern: string }[] };
  const { Rules } = await callJson<Rules>(moto, 'events', 'AWSEvents.ListRules', {});
  const found = Rules.find(({ Name }) => Name.startsWith(start));
  if (found === undefined) throw new Error(`no rule ${start}: got ${Rules.map(({ Name }) => Name).join(', ')}`);
  return JSON.parse(found.EventPattern) as JsonObject;
}

/**
 * Whether a pattern lets an event through: each field of the pattern is there with one of its values, or with one of its
 * prefixes.
 * Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
export function matches(pattern: unknown, event: unknown): boolean {
  if (Array.isArray(pattern)) {
    return pattern.some((wanted: unknown) => {
      if (typeof wanted !== 'object' || wanted === null) return wanted === event;
      const { prefix } = wanted as { readonly prefix?: string };
      if (prefix === undefined) throw new Error(`the rehearsal does not know the pattern ${JSON.stringify(wanted)}`);
      return typeof event === 'string' && event.startsWith(prefix);
    });
  }
  if (typeof event !== 'object' || event === null) return false;
  return Object.entries(pattern as object).every(([name, field]) => matches(field, (event as JsonObject)[name]));
}

/** Batches of the queue: every event twice, the second time in reverse and in batches of another size. */
export function deliveries(events: readonly S3Event[]): readonly JsonValue[] {
  const backwards = [...events].reverse();
  const parts = [events, backwards.slice(0, 3), backwards.slice(3)].filter((part) => part.length > 0);
  return parts.map((part, batch) => ({
    Records: part.map((event, at) => ({ messageId: `${batch}-${at}`, body: JSON.stringify(event) })),
  }));
}
