import type { AskAws } from '../../core/aws-question.ts';
import type { DeploymentNames } from '../../core/deployment-names.ts';
import { InvalidInput, Unavailable } from '../../core/errors.ts';
import { FUNCTIONS, STATES } from '../../core/states.ts';

/** What the calls of a function took at most, in percent of what it has and of what a call may take. */
export type FunctionUsage = {
  readonly function: string;
  readonly calls: number;
  readonly memory_percent: number;
  readonly time_percent: number;
};

export type UsageDeps = {
  readonly ask: AskAws;
  readonly now: () => Date;
  readonly wait: (ms: number) => Promise<unknown>;
};

export type UsageRequest = { readonly names: DeploymentNames; readonly pipeline: string; readonly days: number };

/** Each call writes one such line, whatever its function. */
const QUERY = [
  'filter ispresent(MemoryUsedPercent)',
  'stats count(*) as calls, max(MemoryUsedPercent) as memory, max(TimeUsedPercent) as time by function',
  'sort memory desc',
].join(' | ');

const DAY_S = 86_400;
const PATIENCE = 120;

/**
 * What the functions of a pipeline took in the last days, by the lines that they write, those that took most memory first. Throws InvalidInput for logs
 * that are not there and for rights that are missing, Unavailable when CloudWatch does not come to an end.
 * Source: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
 */
export async function functionUsage(
  { ask, now, wait }: UsageDeps,
  { names, pipeline, days }: UsageRequest,
): Promise<readonly FunctionUsage[]> {
  const logs = async (operation: string, body: object): Promise<unknown> => {
    const target = `Logs_20140328.${operation}`;
    const { text } = await ask({ service: 'logs', action: `logs:${operation}`, kind: 'json', target, body });
    return JSON.parse(text);
  };
  const endTime = Math.ceil(now().getTime() / 1_000);
  const { queryId } = (await logs('StartQuery', {
    logGroupNames: FUNCTIONS.map((name) => `/aws/lambda/${names.lambda(pipeline, STATES[name].file)}`),
    startTime: endTime - days * DAY_S,
    endTime,
    queryString: QUERY,
  }).catch((cause: unknown) => {
    throw cause instanceof Error && cause.message.includes('ResourceNotFoundException')
      ? new InvalidInput(`the functions of pipeline ${pipeline} have no logs: expected one that is deployed`, [], {
          cause,
        })
      : cause;
  })) as { readonly queryId: string };
  for (let look = 0; look < PATIENCE; look += 1) {
    const { status, results = [] } = (await logs('GetQueryResults', { queryId })) as Answer;
    if (status === 'Complete') return results.map(usageOf);
    if (status !== 'Scheduled' && status !== 'Running') break;
    await wait(1_000);
  }
  throw new Unavailable(`CloudWatch Logs did not end the query ${queryId}: ask again, or for fewer days`);
}

type Answer = {
  readonly status: string;
  readonly results?: readonly (readonly { readonly field: string; readonly value: string }[])[];
};

function usageOf(fields: readonly { readonly field: string; readonly value: string }[]): FunctionUsage {
  const value = (name: string): string => fields.find(({ field }) => field === name)?.value ?? '';
  return {
    function: value('function'),
    calls: Number(value('calls')),
    memory_percent: Number(value('memory')),
    time_percent: Number(value('time')),
  };
}
