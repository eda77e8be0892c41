import { addRequests, type Requests } from '../../lib/core/requests.ts';
import type { RunResult, RunState } from '../../lib/core/run.ts';
import { STATES, STEP_NAMES, type StepName } from '../../lib/core/states.ts';
import { type Deployment, readObject } from './deployment.ts';
import type { Ended } from './runs.ts';
import type { Outcome } from './steps.ts';

/** What functions ask S3 for, by the step, as it passes the gateway. */
export type RequestCount = { readonly asked: ReadonlyMap<StepName, Requests>; stop(): void };

const PUTS = ['s3:PutObject', 's3:ListBucket', 's3:ListBucketVersions'];
const GETS = ['s3:GetObject', 's3:GetObjectVersion'];

export function countRequests({ gateway, stack }: Deployment): RequestCount {
  const asked = new Map<StepName, Requests>();
  const stop = gateway.onCall(({ principal, action, removesMany }) => {
    const step = STEP_NAMES.find((name) => principal.startsWith(`${stack.name}-${STATES[name].file}.`));
    if (step === undefined) return;
    const one = { get: GETS.includes(action) ? 1 : 0, put: PUTS.includes(action) || removesMany ? 1 : 0 };
    asked.set(step, addRequests(asked.get(step) ?? { get: 0, put: 0 }, one));
  });
  return { asked, stop };
}

/** Finish measures the run, by its result, its plan and the last that succeeded. */
const METRICS: Requests = { get: 4, put: 1 };

/**
 * The result of the one run that had work says of each step what passed the gateway, apart from a look at the lock for each
 * call. Open is asked by executions that find nothing as well.
 */
export async function checkRequests(
  deployment: Deployment,
  { asked }: RequestCount,
  ended: readonly Ended[],
): Promise<Outcome> {
  const outputs = ended.flatMap(({ result }) => (result.status === 'SUCCEEDED' ? [result.output as RunState] : []));
  const [worked, ...others] = outputs.filter(({ status }) => status === 'planned');
  if (worked === undefined || others.length > 0) return { problems: [`${others.length} other runs had work`] };
  const key = `ops/${deployment.pipeline}/_runs/${worked.run.run_id}/result.json`;
  const { steps, cost } = (await readObject(deployment, deployment.buckets.ops, key)) as RunResult;
  const problems = cost?.requests === 'counted' ? [] : ['the cost of the run is not counted'];
  const compared = STEP_NAMES.filter((step) => step !== 'Open');
  for (const step of compared) {
    const own = steps.filter((timing) => (timing.within ?? timing.step) === step);
    // One call of Level, which reads the lists of units that it does.
    const lists = own.filter(({ step: part }) => part === 'Stage' || part === 'Merge').length;
    const looks =
      step === 'Level' && own.length > 0 ? 1 + lists : own.reduce((sum, { units }) => sum + Math.max(1, units), 0);
    const said = addRequests(
      { get: looks, put: 0 },
      ...own.flatMap(({ spent }) => spent ?? []),
      ...(step === 'Finish' ? [METRICS] : []),
    );
    const found = asked.get(step) ?? { get: 0, put: 0 };
    if (said.get === found.get && said.put === found.put) continue;
    problems.push(`${step}: the result says ${said.get} GET, ${said.put} PUT; ${found.get} and ${found.put} were made`);
  }
  const all = addRequests(...asked.values());
  return { problems, detail: `${all.get} GET, ${all.put} PUT and LIST` };
}
