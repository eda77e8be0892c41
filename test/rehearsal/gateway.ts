import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AwsCall, type RawRequest, readCall } from './aws-call.ts';
import { type Callbacks, createCallbacks } from './callbacks.ts';

/** Stands before the server that functions take for AWS and notes who calls what. */
export type Gateway = {
  readonly endpoint: string;
  /** Those of executions that are run here, of which the server knows nothing: SendTaskSuccess is answered by them. */
  readonly callbacks: Callbacks;
  /** Distinct calls in the order in which they first came. */
  calls(): readonly AwsCall[];
  /** How often an action was called, answered or not. */
  count(action: string): number;
  /** Has `act` called with each call before it is passed on; answers how to stop that. */
  onCall(act: (call: Omit<AwsCall, 'status'>) => void): () => void;
  close(): Promise<void>;
};

/** Bodies of requests to S3 can be large and say nothing of interest, apart from lists of keys to delete. */
const isStreamed = (incoming: IncomingMessage): boolean =>
  (incoming.headers.authorization ?? '').includes('/s3/aws4_request') && !(incoming.url ?? '').includes('?delete');

export async function startGateway(upstream: string): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true });
  const seen = new Map<string, AwsCall>();
  const counts = new Map<string, number>();
  const listeners = new Set<(call: Omit<AwsCall, 'status'>) => void>();
  const callbacks = createCallbacks();

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = isStreamed(incoming) ? undefined : await readBody(incoming);
    const call = readCall(rawRequest(incoming, body));
    if (call !== undefined) {
      counts.set(call.action, (counts.get(call.action) ?? 0) + 1);
      for (const listener of listeners) listener(call);
    }
    if (call?.action === 'states:SendTaskSuccess') {
      const status = callBack(callbacks, body, outgoing);
      seen.set(keyOf(call, status), { ...call, status });
      return;
    }
    const { method, url, headers } = incoming;
    const { expect: _, ...passed } = headers;
    const onward = request(new URL(url ?? '/', upstream), { method, headers: passed, agent }, (answer) => {
      const status = answer.statusCode ?? 0;
      if (call !== undefined) seen.set(keyOf(call, status), { ...call, status });
      outgoing.writeHead(status, answer.headers);
      answer.pipe(outgoing);
      // A caller that is killed goes on its own.
      answer.on('error', () => outgoing.destroy());
    });
    onward.on('error', () => outgoing.destroy());
    incoming.on('error', () => onward.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy();
    });
    if (body === undefined) incoming.pipe(onward);
    else onward.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((cause: unknown) => {
      console.error(`the gateway cannot pass on ${incoming.method} ${incoming.url}:`, cause);
      outgoing.destroy();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    callbacks,
    calls: () => [...seen.values()],
    count: (action) => counts.get(action) ?? 0,
    onCall(act) {
      listeners.add(act);
      return () => listeners.delete(act);
    },
    async close() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Answers the status. Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html */
function callBack(callbacks: Callbacks, body: Buffer | undefined, outgoing: ServerResponse): number {
  const { taskToken } = JSON.parse(body?.toString('utf8') ?? '{}') as { readonly taskToken: string };
  const error = callbacks.succeed(taskToken);
  const status = error === undefined ? 200 : 400;
  outgoing.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.0' });
  outgoing.end(JSON.stringify(error === undefined ? {} : { __type: error, message: 'nobody waits with this token' }));
  return status;
}

function rawRequest(incoming: IncomingMessage, body: Buffer | undefined): RawRequest {
  return {
    method: incoming.method ?? 'GET',
    url: incoming.url ?? '/',
    headers: incoming.headers,
    body: body?.toString('utf8') ?? '',
  };
}

function keyOf(call: Omit<AwsCall, 'status'>, status: number): string {
  return JSON.stringify([call.principal, call.action, call.resources, call.context, status]);
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
