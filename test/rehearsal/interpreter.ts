import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { StateMachineDefinition } from '../../lib/asl/definition.ts';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import type { OpenInput } from '../../lib/core/run.ts';
import type { JsonValue } from '../../lib/ports.ts';
import type { Deployment } from './deployment.ts';
import type { LambdaAnswer } from './environment.ts';
import { tasksOf } from './execution.ts';
import { clientSettings } from './moto-api.ts';
import type { Ended } from './runs.ts';

/** Lambda's API for the state machines that moto interprets. */
export type FunctionsApi = {
  readonly endpoint: string;
  /** Answers calls by the ARN of their function, until the promise of `during` is kept. */
  answering<T>(invoke: (arn: string, event: JsonValue) => Promise<LambdaAnswer>, during: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
};

/** Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
export async function startFunctionsApi(): Promise<FunctionsApi> {
  let answering: ((arn: string, event: JsonValue) => Promise<LambdaAnswer>) | undefined;
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const [, arn = ''] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(incoming.url ?? '') ?? [];
    if (answering === undefined) throw new Error(`nobody answers for ${incoming.url}`);
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const event = JSON.parse(Buffer.concat(parts).toString('utf8')) as JsonValue;
    const answer = await answering(decodeURIComponent(arn), event);
    const failed = answer.kind === 'error';
    outgoing.writeHead(200, failed ? { 'X-Amz-Function-Error': 'Unhandled' } : {});
    outgoing.end(failed ? JSON.stringify(answer.error) : answer.payload);
  };
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((cause: unknown) => {
      outgoing.writeHead(500, { 'Content-Type': 'application/json' });
      outgoing.end(JSON.stringify({ Type: 'Service', Message: String(cause) }));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async answering(invoke, during) {
      answering = invoke;
      return during().finally(() => {
        answering = undefined;
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** The same definition, to the value: where there is a percentage, the grammar of moto 5.2.5 takes no number without a point. */
export function asMotoReads(definition: string): string {
  return definition.replaceAll(/("ToleratedFailurePercentage":\s*\d+)(?=\s*[,}])/g, '$1.0');
}

/**
 * Has moto's interpreter of the Amazon States Language run the deployed definition, with the deployed functions and the objects in
 * S3: its own reading of paths, choices, retries at their own times, catches and distributed maps. Answers what the functions answered as events of
 * their states. Throws an Error when the definition is refused.
 */
export async function runInterpreted(deployment: Deployment, api: FunctionsApi, input: OpenInput): Promise<Ended> {
  const { definition, functionsByArn, pool, machineArn, endpoint } = deployment;
  const credentials = { accessKeyId: 'interpreter', secretAccessKey: 'interpreter' };
  const sfn = new SFNClient({ ...clientSettings(endpoint), credentials });
  const name = machineArn.split(':').at(-1) ?? '';
  const roleArn = 'arn:aws:iam::123456789012:role/interpreter';
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({ name, definition: asMotoReads(definition), roleArn }),
  );
  const states = new Map(
    tasksOf(JSON.parse(definition) as StateMachineDefinition).map(([state, arn]) => [arn, state] as const),
  );
  const events: StateEvent[] = [];
  const called = new Set<string>();
  let failure: JsonValue | undefined;
  const invoke = async (arn: string, event: JsonValue): Promise<LambdaAnswer> => {
    const [fn, state] = [functionsByArn.get(arn), states.get(arn)];
    if (fn === undefined || state === undefined) throw new Error(`no function ${arn}`);
    called.add(arn);
    if (state === 'RunFailed') failure = event;
    const answer = await pool.invoke(fn, event);
    const { errorType: error = '', errorMessage: cause = '' } = answer.kind === 'error' ? answer.error : {};
    events.push({
      state,
      durationMs: 0,
      ...(answer.kind === 'error' ? { kind: 'failed', error, cause } : { kind: 'succeeded' }),
    });
    return answer;
  };
  return api.answering(invoke, async () => {
    const start = { stateMachineArn, name: input.run_id, input: JSON.stringify(input) };
    const { executionArn: arn = '' } = await sfn.send(new StartExecutionCommand(start));
    for (;;) {
      const { status, output, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn: arn }));
      const started = { arn, name: input.run_id, input };
      if (status === 'SUCCEEDED')
        return {
          started,
          events,
          failure,
          called,
          result: { status, output: JSON.parse(output ?? 'null') as JsonValue },
        };
      if (status !== 'RUNNING')
        return {
          started,
          events,
          failure,
          called,
          result: { status: 'FAILED', error: error ?? '', cause: cause ?? '' },
        };
      await sleep(200);
    }
  });
}
