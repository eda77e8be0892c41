import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AskSettings } from '../adapters/aws/ask.ts';
import type { AskAws } from '../core/aws-question.ts';
import { InvalidInput } from '../core/errors.ts';
import type { SendEvents } from '../ports.ts';

const BUS = 'eventbridge:';

/** To a file, which is added to, to an address, or to `eventbridge:<bus>`. Throws InvalidInput for what is none of these. */
export async function sendEventsTo(to: string): Promise<SendEvents> {
  if (/^https?:\/\//.test(to)) {
    const { createHttpEvents } = await import('../adapters/openlineage/http.ts');
    return createHttpEvents(to, { key: process.env['OPENLINEAGE_API_KEY'], wait: (ms) => sleep(ms) });
  }
  if (to.startsWith(BUS)) {
    const { createBusEvents } = await import('../adapters/openlineage/eventbridge.ts');
    return createBusEvents(await askHere(), to.slice(BUS.length));
  }
  if (/^[a-z]{2,}:/i.test(to)) {
    throw new InvalidInput(`--to ${to}: expected a file, http(s)://..., or eventbridge:<name or ARN of a bus>`);
  }
  return (events) => appendFile(to, eventLines(events));
}

/** With the credentials and the region of this machine. */
export async function askHere(settings: Pick<AskSettings, 'attempts' | 'timeoutMs'> = {}): Promise<AskAws> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const { createAskAws } = await import('../adapters/aws/ask.ts');
  return createAskAws(() => new S3Client({}).config, { ...settings, endpoint: process.env['AWS_ENDPOINT_URL'] });
}

/** One event a line. */
export function eventLines(events: Parameters<SendEvents>[0]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}
