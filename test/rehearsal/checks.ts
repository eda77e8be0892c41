import type { Inbox } from './alerts.ts';
import { misjudgedCalls } from './bucket-policies.ts';
import { type Deployment, exists, readObject } from './deployment.ts';
import { functionsReached, objectCreated } from './events.ts';
import { findUngranted, MISSING_BUCKET } from './grants.ts';
import type { MadeStack } from './provision.ts';
import type { Outcome } from './steps.ts';
import { readTables } from './tables.ts';
import { resourcesOf } from './template.ts';

/** An upload reaches the Starter alone; what is no upload of this pipeline reaches nobody. */
export async function checkWiring(deployment: Deployment, lake: MadeStack): Promise<Outcome> {
  const { stack, buckets, pipeline, functions } = deployment;
  const reached = (bucket: string, key: string): string =>
    functionsReached(
      stack.template,
      stack.world,
      objectCreated({ bucket, key, size: 1, etag: 'x' }, new Date()),
    ).join();
  const starter = functions.get('starter')?.name;
  const expected: readonly [string, string, string | undefined][] = [
    [buckets.bronze, `bronze/${pipeline}/source/file.csv`, starter],
    [buckets.bronze, `bronze/${pipeline}_other/source/file.csv`, ''],
    [buckets.ops, `bronze/${pipeline}/source/file.csv`, ''],
  ];
  const problems = expected.flatMap(([bucket, key, wanted]) => {
    const found = reached(bucket, key);
    return found === wanted
      ? []
      : [`s3://${bucket}/${key} reaches ${found || 'nobody'}; expected ${wanted || 'nobody'}`];
  });
  const tells = resourcesOf(lake.template, 'AWS::S3::Bucket').some(
    ([id, { NotificationConfiguration }]) =>
      lake.world.ref(id) === buckets.bronze &&
      JSON.stringify(NotificationConfiguration)?.includes('"EventBridgeEnabled":true'),
  );
  return { problems: tells ? problems : [...problems, `${buckets.bronze} tells EventBridge nothing`] };
}

/** PyIceberg reads every table by way of Glue, and finds the rows that the laptop's lake has. */
export async function checkTables({ endpoint, pipeline }: Deployment, laptop: string): Promise<Outcome> {
  const { tables, audit } = await readTables(endpoint, pipeline, laptop);
  const names = Object.keys(tables);
  const problems = Object.entries(tables).flatMap(([name, table]) => table.problems.map((one) => `${name}: ${one}`));
  if (!names.some((name) => name.startsWith(`${pipeline}_gold.`))) problems.push('there is no gold table');
  problems.push(...audit.problems.map((one) => `audit_log: ${one}`));
  if ((audit.events['starter.started'] ?? 0) === 0) problems.push('audit_log has no row of the Starter');
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  return { problems, detail: `${names.length} tables, ${rows} rows; audit log ${JSON.stringify(audit.events)}` };
}

/** So many messages and no more; the last names its pipeline, and the cause as a person reads it. */
export async function checkAlerts(
  inbox: Inbox,
  { pipeline }: Deployment,
  count: number,
  cause: RegExp,
): Promise<Outcome> {
  const alerts = await inbox.received();
  const problems = alerts.length === count ? [] : [`${alerts.length} messages: ${JSON.stringify(alerts)}`];
  const alert = alerts.at(-1);
  if (alert !== undefined && !cause.test(alert.message)) problems.push(`the message names no cause: ${alert.message}`);
  if (alert?.message.includes('errorMessage')) problems.push(`the message has Lambda's JSON: ${alert.message}`);
  if (alert !== undefined && !alert.subject.includes(pipeline)) problems.push(`the subject is ${alert.subject}`);
  return { problems, detail: alert?.subject ?? '' };
}

/** No lock, and no run that the next one would have to finish. */
export async function checkReleased(deployment: Deployment): Promise<Outcome> {
  const { pipeline, buckets } = deployment;
  const problems: string[] = [];
  for (const name of ['lock', 'open-run']) {
    const key = `ops/${pipeline}/${name}.json`;
    if (!(await exists(deployment, buckets.ops, key))) continue;
    const held = await readObject(deployment, buckets.ops, key);
    if (typeof held === 'object' && held !== null && 'run_id' in held) problems.push(`${key} still has a run`);
  }
  return { problems };
}

/**
 * One environment took several calls, one function had several environments, all kept within their memory and /tmp, and no call left
 * anything to the next one.
 */
export function checkEnvironments({ pool, functions }: Deployment): Outcome {
  const usages = [...functions.values()].map((fn) => ({ fn, ...pool.usage(fn.name) }));
  // What fits one unit is never merged.
  const unused = usages
    .filter(({ fn, calls }) => calls === 0 && !fn.name.endsWith('-merge'))
    .map(({ fn }) => `${fn.name} was never called`);
  const reused = usages.some(({ calls, environments }) => calls > environments);
  const fresh = usages.some(({ environments }) => environments > 1);
  const problems = [
    ...unused,
    ...(reused ? [] : ['no environment was reused']),
    ...(fresh ? [] : ['no function had two']),
    ...usages.flatMap(({ fn, left }) => left.map((one) => `${fn.name} left ${one} to its next call`)),
  ];
  const [most] = usages.toSorted((a, b) => b.peakBytes / b.fn.memoryMb - a.peakBytes / a.fn.memoryMb);
  const calls = usages.reduce((sum, usage) => sum + usage.calls, 0);
  const environments = usages.reduce((sum, usage) => sum + usage.environments, 0);
  const memory = `${most?.fn.name} held ${Math.round((most?.peakBytes ?? 0) / 2 ** 20)} of ${most?.fn.memoryMb} MB`;
  const [fullest] = usages.toSorted((a, b) => b.peakTmpBytes / b.fn.tmpMb - a.peakTmpBytes / a.fn.tmpMb);
  const tmp = `/tmp of ${fullest?.fn.name} ${Math.round((fullest?.peakTmpBytes ?? 0) / 2 ** 20)} of ${fullest?.fn.tmpMb} MB`;
  return { problems, detail: `${calls} calls in ${environments} environments; ${memory}; ${tmp}` };
}

export function checkGrants(deployment: Deployment): Outcome {
  const { calls, ungranted } = findUngranted(deployment);
  const problems = calls === 0 ? ['no call was seen'] : ungranted;
  return { problems, detail: `${calls} distinct calls` };
}

/** What functions asked S3 for passes the policies of the buckets by TLS, and by nothing else. */
export function checkBuckets({ gateway, lake }: Deployment): Outcome {
  const calls = gateway.calls().filter(({ resources }) => !resources.join().includes(MISSING_BUCKET));
  const { looked, problems } = misjudgedCalls(lake, calls);
  return { problems: looked === 0 ? ['no call of S3 was seen'] : problems, detail: `${looked} distinct calls` };
}

/** Calls were turned away, in a new account, and made again. */
export function checkThrottled({ pool, functions }: Deployment): Outcome {
  const turnedAway = [...functions.values()].reduce((sum, fn) => sum + pool.usage(fn.name).throttled, 0);
  return { problems: turnedAway > 0 ? [] : ['no call was turned away'], detail: `${turnedAway} turned away` };
}
