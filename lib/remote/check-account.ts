import { type AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import { paginateListBuckets, type S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { awsFailure } from '../adapters/aws/errors.ts';
import type { AskAws } from '../core/aws-question.ts';
import { compareClocks } from '../core/clock-skew.ts';
import type { DeploymentNames } from '../core/deployment-names.ts';
import {
  ALARMS_OF_REGION,
  LAKE_RESOURCES_PER_PIPELINE,
  LEAST_BOOTSTRAP,
  RESOURCES_OF_STACK,
  rolesOf,
  rulesOfBus,
  STACK_NEEDS,
  UNRESERVED_CALLS,
} from '../core/deployment-needs.ts';
import { type Finding, fail, ok, warn } from '../core/finding.ts';
import { ZONES } from '../core/objects.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { Clock } from '../ports.ts';
import { alarms, bootstrapVersion, guardedByIam, lambdaLimits, roles, rules, whoAmI } from './account.ts';
import { checkCode, checkRuns } from './check-runs.ts';
import { type Deployed, type DeployedDeps, findDeployed } from './deployed.ts';

export type AccountDeps = DeployedDeps & {
  readonly ask: AskAws;
  readonly s3: S3Client;
  readonly athena: AthenaClient;
  readonly sfn: SFNClient;
  readonly clock: Clock;
  /** Throws what the SDK throws where no region is set. */
  readonly region: () => Promise<string>;
};

/** What is to be deployed. */
export type Intended = {
  readonly names: DeploymentNames;
  readonly specs: readonly PipelineSpec[];
  /** Pipelines whose databases stay outside of the lake's stack. */
  readonly adopted: readonly string[];
  /** Whether the databases of each pipeline are nested in a stack of their own. */
  readonly nested?: boolean;
};

/** By how much the clock may be wrong before signatures are refused. */
const MOST_SKEW_MS = 5 * 60_000;

/**
 * Whether the account and the region can take a deploy, check by check. Without a region or credentials nothing else is
 * asked; what the caller may not ask is a warning.
 */
export async function checkAccount(deps: AccountDeps, intended: Intended): Promise<readonly Finding[]> {
  const region = await regionOf(deps);
  if (region === undefined) {
    return [fail('region', 'none is set', 'set AWS_REGION, or a region in the profile of AWS_PROFILE')];
  }
  const who = await whoAmI(deps.ask).catch((cause: unknown) => reasonOf(cause));
  const place = ok('region', region);
  if (typeof who === 'string') {
    return [place, fail('credentials', who, 'aws configure, or aws sso login and AWS_PROFILE')];
  }
  const first = [
    place,
    ok('credentials', `${who.arn}, account ${who.account}`),
    compareClocks(deps.clock.now(), who.at, 'AWS', MOST_SKEW_MS),
  ];
  const target: Target = { region, account: who.account };
  const deployed = await findDeployed(deps, intended.names).catch((cause: unknown) => reasonOf(cause));
  const known = typeof deployed === 'string' ? undefined : deployed;
  const unknown = typeof deployed === 'string' ? [warn('stacks', deployed, MAY_BE_LEFT)] : [];
  const news = intended.specs.filter(({ name }) => known?.pipelines.has(name) !== true);
  const rest: readonly (readonly [string, () => Promise<readonly Finding[]>])[] = [
    ['bootstrap', () => checkBootstrap(deps.ask, target)],
    ['concurrency', () => checkConcurrency(deps.ask, intended.specs, news)],
    ['code', () => checkCode(deps.ask, intended.specs.length)],
    ['roles', () => checkRoles(deps.ask, news)],
    ['rules', () => checkRules(deps.ask, region, news.length)],
    ['alarms', () => checkAlarms(deps.ask, news.length)],
    ['lake stack', async () => [checkSize(intended)]],
    ['names', async () => (known === undefined ? [] : checkNames(deps, intended, known, target))],
    ['lake formation', () => checkLakeFormation(deps.ask)],
    ['runs', () => checkRuns(deps, known?.pipelines)],
  ];
  const found: Finding[] = [];
  for (const [check, look] of rest) {
    found.push(...(await look().catch((cause: unknown) => [warn(check, reasonOf(cause), MAY_BE_LEFT)])));
  }
  return [...first, ...unknown, ...found];
}

const MAY_BE_LEFT = 'a deploy does not need the answer; what it would show is not checked';

type Target = { readonly region: string; readonly account: string };

async function regionOf({ region }: AccountDeps): Promise<string | undefined> {
  try {
    return await region();
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function checkBootstrap(ask: AskAws, { region, account }: Target): Promise<readonly Finding[]> {
  const version = await bootstrapVersion(ask);
  const advice = `npx cdk bootstrap aws://${account}/${region}, once`;
  if (version === undefined) return [fail('bootstrap', `${region} has none for the CDK`, advice)];
  if (version >= LEAST_BOOTSTRAP) return [ok('bootstrap', `version ${version}`)];
  return [fail('bootstrap', `version ${version}; templates ask for ${LEAST_BOOTSTRAP}`, advice)];
}

/** Calls that wait are late; reservations that do not fit fail a deploy. */
async function checkConcurrency(
  ask: AskAws,
  specs: readonly PipelineSpec[],
  news: readonly PipelineSpec[],
): Promise<readonly Finding[]> {
  const { all, unreserved } = await lambdaLimits(ask);
  const asked = sum(news.map(reservedBy));
  const has = `${all} calls of Lambda at once, ${unreserved} of them not reserved`;
  const raise = 'ask for more: Service Quotas, AWS Lambda, Concurrent executions (L-B99A9384)';
  if (asked > 0 && unreserved - asked < UNRESERVED_CALLS) {
    const found = `${has}; pipelines to come reserve ${asked}, and Lambda keeps ${UNRESERVED_CALLS} unreserved`;
    return [fail('concurrency', found, `${raise}, or leave reservedConcurrency out`)];
  }
  const most = Math.max(0, ...specs.map(({ compute }) => compute.maxConcurrency));
  if (most < all) return [ok('concurrency', has)];
  const found = `${has}; a run has up to ${most} units at work, and calls beyond wait their turn`;
  return [warn('concurrency', found, `${raise}; runs do not fail, but are slower`)];
}

function reservedBy({ compute }: PipelineSpec): number {
  return sum(Object.values(compute.steps).map(({ reservedConcurrency }) => reservedConcurrency ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

async function checkRoles(ask: AskAws, news: readonly PipelineSpec[]): Promise<readonly Finding[]> {
  const { has, most } = await roles(ask);
  const needed = STACK_NEEDS.lake.roles + sum(news.map(rolesOf));
  const found = `${has} of ${most}, up to ${needed} to come`;
  if (has + needed <= most) return [ok('roles', found)];
  return [fail('roles', found, 'ask for more: Service Quotas, IAM, Roles per account (L-FE177D64)')];
}

/** How many there may be was raised, maybe; that is told to nobody but Service Quotas. */
async function checkRules(ask: AskAws, region: string, news: number): Promise<readonly Finding[]> {
  const [has, most] = [await rules(ask), rulesOfBus(region)];
  const needed = news * STACK_NEEDS.pipeline.rules;
  const found = `${has} of ${most} on the default bus, unless that was raised; up to ${needed} to come`;
  if (has + needed <= most) return [ok('rules', found)];
  return [warn('rules', found, 'look, and ask for more: Service Quotas, Amazon EventBridge, Rules')];
}

async function checkAlarms(ask: AskAws, news: number): Promise<readonly Finding[]> {
  const has = await alarms(ask);
  const needed = news * STACK_NEEDS.pipeline.alarms;
  const found = `${has} of ${ALARMS_OF_REGION}, unless that was raised; up to ${needed} to come`;
  if (has + needed <= ALARMS_OF_REGION) return [ok('alarms', found)];
  return [warn('alarms', found, 'look, and ask for more: Service Quotas, Amazon CloudWatch, Alarms')];
}

/** Whether the lake's stack has room for the databases of all pipelines. */
export function checkSize({
  names,
  specs,
  adopted,
  nested,
}: Omit<Intended, 'specs'> & { readonly specs: readonly Pick<PipelineSpec, 'name'>[] }): Finding {
  const own = specs.filter(({ name }) => !adopted.includes(name)).length;
  const needed = STACK_NEEDS.lake.resources + own * LAKE_RESOURCES_PER_PIPELINE[nested === true ? 'nested' : 'inline'];
  const found = `${names.lakeStack}: ${needed} resources of ${RESOURCES_OF_STACK}`;
  if (needed <= RESOURCES_OF_STACK) return ok('lake stack', found);
  const divide = 'divide the pipelines among several stages, each with a lake of its own';
  return fail(
    'lake stack',
    found,
    nested === true
      ? divide
      : `before the first deploy: put "nestDatabases": true into the context of cdk.json; after it: ${divide}`,
  );
}

async function checkLakeFormation(ask: AskAws): Promise<readonly Finding[]> {
  if (await guardedByIam(ask)) return [ok('lake formation', 'not enforced: IAM alone guards the catalog')];
  const advice =
    "allow IAMAllowedPrincipals for new databases and tables (Data Catalog settings), or grant Lake Formation's rights on each database to the roles of the functions";
  return [
    fail('lake formation', 'enforced for new databases and tables, which the grants of a deploy do not cover', advice),
  ];
}

/** What a deploy would make under names that are taken. */
async function checkNames(
  deps: AccountDeps,
  { names, specs, adopted }: Intended,
  { lake, databases }: Deployed,
  target: Target,
): Promise<readonly Finding[]> {
  const found =
    lake === undefined
      ? [...(await takenBuckets(deps.s3, names, target)), ...(await takenWorkgroup(deps.athena, names))]
      : [];
  for (const { name } of specs) {
    const left = (databases.get(name) ?? []).filter(({ managed }) => !managed);
    if (left.length > 0)
      found.push(
        databasesFinding(
          name,
          left.map((one) => one.name),
          adopted,
        ),
      );
  }
  if (found.length > 0) return found;
  return [
    ok(
      'names',
      lake === undefined ? 'all are free' : `${names.lakeStack} is deployed; the names of new pipelines are free`,
    ),
  ];
}

function databasesFinding(pipeline: string, left: readonly string[], adopted: readonly string[]): Finding {
  const found = `databases of ${pipeline} are there, and in no stack: ${left.join(', ')}`;
  if (adopted.includes(pipeline)) return ok('names', `${found}; adopted`);
  return fail('names', found, adoptAdvice(pipeline, adopted));
}

/** How databases that a removed pipeline has left are taken on with all that is in them. */
export function adoptAdvice(pipeline: string, adopted: readonly string[]): string {
  return `to go on with them, put "adopt": "${[...adopted, pipeline].join(',')}" into the context of cdk.json; else drop them`;
}

async function takenBuckets(s3: S3Client, names: DeploymentNames, { account, region }: Target): Promise<Finding[]> {
  const wanted = [...ZONES, 'logs'].map((zone) => `${names.workgroup}-${zone}-${account}-${region}`);
  const taken: string[] = [];
  try {
    for await (const { Buckets = [] } of paginateListBuckets({ client: s3 }, {})) {
      for (const { Name = '' } of Buckets) if (wanted.includes(Name)) taken.push(Name);
    }
  } catch (cause) {
    throw awsFailure({ action: 's3:ListAllMyBuckets', resource: 'the account' }, cause);
  }
  if (taken.length === 0) return [];
  const advice = `left by a lake that was removed: npx cdk import ${names.lakeStack} takes them on, or empty and remove them`;
  return [fail('names', `buckets are there already: ${taken.join(', ')}`, advice)];
}

async function takenWorkgroup(athena: AthenaClient, { workgroup }: DeploymentNames): Promise<Finding[]> {
  try {
    const { WorkGroup: found } = await athena.send(new GetWorkGroupCommand({ WorkGroup: workgroup }));
    if (found?.Name !== workgroup) return [];
  } catch (cause) {
    if (cause instanceof Error && /is not found|does not exist/i.test(cause.message)) return [];
    throw awsFailure({ action: 'athena:GetWorkGroup', resource: `workgroup ${workgroup}` }, cause);
  }
  const advice = `aws athena delete-work-group --work-group ${workgroup} --recursive-delete-option; it holds no data`;
  return [fail('names', `the Athena workgroup ${workgroup} is there already`, advice)];
}
