import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { AskAws, AwsQuestion } from '../../core/aws-question.ts';
import { awsFailure, isPassing } from './errors.ts';

const TIMEOUT_MS = 20_000;
const ATTEMPTS = 3;

export type AskSettings = {
  /** In place of AWS's own. */
  readonly endpoint?: string | undefined;
  readonly wait?: (ms: number) => Promise<unknown>;
  /** How often each question is asked; default 3. */
  readonly attempts?: number;
  /** How long an answer is waited for; default 20 s. */
  readonly timeoutMs?: number;
};

type Config = Pick<CloudFormationClient['config'], 'region' | 'signer'>;

/**
 * Asks services with the credentials, the region and the signatures of a client of another. A client keeps the service that it has
 * signed for first, so that each service takes one that `open` gives.
 */
export function createAskAws(open: () => Config, settings: AskSettings): AskAws {
  const { endpoint, wait = sleep, attempts = ATTEMPTS, timeoutMs = TIMEOUT_MS } = settings;
  const configs = new Map<string, Config>();
  const send = async (question: AwsQuestion) => {
    const { region, signer } = configs.get(question.service) ?? open();
    configs.set(question.service, { region, signer });
    const here = await region();
    const [signingRegion, host] = placeOf(question, here);
    const url = new URL(question.path ?? '/', endpoint ?? `https://${host}`);
    const { method, headers, body } = messageOf(question);
    const { service: signingName } = question;
    const scheme = { name: 'sigv4', signingName, signingRegion, properties: {} };
    const signing = typeof signer === 'function' ? await signer(scheme) : signer;
    if (signing === undefined) throw new Error('the client of AWS signs nothing');
    const signed = await signing.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === '' ? {} : { port: Number(url.port) }),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: unknown) => {
      // What went wrong on the way is in the cause.
      throw cause instanceof TypeError && cause.cause !== undefined ? cause.cause : cause;
    });
    const text = await response.text();
    if (!response.ok) throw refusal(text, response);
    return { text, at: new Date(response.headers.get('date') ?? Date.now()) };
  };
  return async (question) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send(question);
      } catch (cause) {
        if (attempt === attempts || !isPassing(cause)) {
          throw awsFailure({ action: question.action, resource: question.resource ?? 'the account' }, cause);
        }
        await wait(attempt * 200);
      }
    }
  };
}

/** The region of the signature, and the host. Source: docs.aws.amazon.com/general/latest/gr/rande.html */
function placeOf({ service, global }: AwsQuestion, region: string): readonly [string, string] {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  if (global !== true) return [region, `${service}.${region}.${domain}`];
  if (region.startsWith('cn-')) return ['cn-north-1', `${service}.cn-north-1.${domain}`];
  if (region.startsWith('us-gov-')) return ['us-gov-west-1', `${service}.us-gov.${domain}`];
  return ['us-east-1', `${service}.${domain}`];
}

type Message = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
};

function messageOf(question: AwsQuestion): Message {
  switch (question.kind) {
    case 'get':
    case 'delete':
      return { method: question.kind.toUpperCase(), headers: {} };
    case 'rest':
      return {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...question.headers },
        body: JSON.stringify(question.body),
      };
    case 'json':
      return {
        method: 'POST',
        headers: {
          'content-type': `application/x-amz-json-${question.json ?? '1.1'}`,
          'x-amz-target': question.target,
        },
        body: JSON.stringify(question.body),
      };
    case 'query':
      return {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: new URLSearchParams(question.form).toString(),
      };
  }
}

/** The error as an SDK's client would throw it: JSON names it in __type, XML in Code, and who answers by paths in a header. */
function refusal(text: string, { status: httpStatusCode, headers }: Response): Error {
  const type =
    /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(text)?.[1] ??
    /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ??
    headers.get('x-amzn-errortype')?.replace(/:.*/, '');
  const message =
    /"[Mm]essage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  const name = type ?? (httpStatusCode === 403 ? 'AccessDenied' : 'UnknownError');
  return Object.assign(new Error(message ?? name), { name, $metadata: { httpStatusCode } });
}
