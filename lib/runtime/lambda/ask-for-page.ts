import { S3Client } from '@aws-sdk/client-s3';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import type { AskAws } from '../../core/aws-question.ts';
import type { RunRef } from '../../core/run.ts';
import type { Log } from '../../ports.ts';
import { parseEnvironment } from './environment.ts';

/** Where functions reach no service but those that runs need, no run waits longer for that. */
const MOST_MS = 3_000;

/**
 * Asks for the page of a pipeline of which a run has ended, in a call of a function that nobody waits for: a page can neither fail a run nor hold it up.
 * Where it cannot be asked for, the log says so.
 */
export async function askForPage(
  run: Pick<RunRef, 'pipeline' | 'kind' | 'dry_run'> | undefined,
  log: Log,
  ask: AskAws = createAskAws(() => new S3Client({ requestHandler: CONNECTIONS }).config, {}),
  mostMs: number = MOST_MS,
): Promise<void> {
  const { pageFunction } = parseEnvironment(process.env);
  if (pageFunction === undefined || run === undefined || run.kind === 'maintenance' || run.dry_run) return;
  const asked = ask({
    service: 'lambda',
    action: 'lambda:InvokeFunction',
    kind: 'rest',
    path: `/2015-03-31/functions/${pageFunction}/invocations`,
    headers: { 'x-amz-invocation-type': 'Event' },
    body: { page: run.pipeline },
  });
  try {
    await within(asked, mostMs);
  } catch (cause) {
    log.warn('the page was not asked for', { error: cause instanceof Error ? cause.message : String(cause) });
  }
}

async function within(asked: Promise<unknown>, ms: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms);
  try {
    await Promise.race([asked, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
