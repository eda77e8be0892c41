import { AthenaClient, GetWorkGroupCommand } from '@aws-sdk/client-athena';
import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type StackStatus,
} from '@aws-sdk/client-cloudformation';
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  type ExecutionStatus,
  ListExecutionsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../remote/aws-error.ts';

/** What an account is like; whatever a test leaves out is as in a new one in which the CDK was bootstrapped. */
export type FakeAccount = {
  readonly bootstrap: number | null;
  readonly calls: { readonly all: number; readonly unreserved: number };
  /** Bytes of code that Lambda has, and that it takes. */
  readonly code: { readonly has: number; readonly most: number };
  /** Published versions by function: their numbers, and when each was published. */
  readonly versions: Readonly<Record<string, Readonly<Record<number, string>>>>;
  /** Executions by the name of their state machine. */
  readonly executions: Readonly<Record<string, readonly FakeExecution[]>>;
  /** What state machines are defined as now, by name: the versions that they call, as `function:version`. */
  readonly machines: Readonly<Record<string, readonly string[]>>;
  /** Functions that land sources. */
  readonly origins: readonly string[];
  readonly roles: number;
  readonly rules: number;
  readonly alarms: number;
  /** New databases and tables are guarded by Lake Formation. */
  readonly lakeFormation: boolean;
  readonly buckets: readonly string[];
  readonly workgroups: readonly string[];
  /** Stacks by name: their status, the pipeline that they run, and the databases that they have. */
  readonly stacks: Readonly<Record<string, FakeStack>>;
  /** Databases of pipelines, by name. */
  readonly databases: Readonly<Record<string, string>>;
  /** IAM actions that the caller may not take. */
  readonly denied: readonly string[];
  /** Milliseconds by which AWS's clock is ahead. */
  readonly ahead: number;
};

export type FakeStack = {
  readonly status?: StackStatus;
  readonly pipeline?: string;
  readonly stage?: string;
  readonly databases?: readonly string[];
  /** It cannot be deleted. */
  readonly stuck?: true;
  /** Logical ids of its roles. */
  readonly roles?: readonly string[];
};

export type FakeExecution = {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly ended?: string;
  /** The versions that it calls. */
  readonly calls?: readonly string[];
};

/** What was removed of the account. */
export type Changes = { readonly removed: string[] };

export const NEW_ACCOUNT: FakeAccount = {
  bootstrap: 27,
  calls: { all: 1_000, unreserved: 1_000 },
  code: { has: 1e9, most: 75e9 },
  ...{ versions: {}, executions: {}, machines: {}, origins: [] },
  ...{ roles: 20, rules: 1, alarms: 0, ahead: 0 },
  lakeFormation: false,
  ...{ buckets: [], workgroups: ['primary'], stacks: {}, databases: {}, denied: [] },
};

const CALLER = 'arn:aws:iam::111122223333:user/deployer';

/** Stands in for AWS in this process: its clients, and what is asked of services by signed requests. */
export function fakeAws(given: Partial<FakeAccount> = {}): Changes & { reset(): void } {
  const account = { ...NEW_ACCOUNT, ...given };
  const before = { fetch: globalThis.fetch, env: { ...process.env } };
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1' });
  const removed: string[] = [];
  globalThis.fetch = async (url, init) => answer({ account, removed }, new URL(String(url)), init);
  const clients = [
    ...[fakeStacks(account, removed), fakeDatabases(account), fakeBuckets(account)],
    ...[fakeWorkgroups(account), fakeMachines(account)],
  ];
  return {
    removed,
    reset() {
      globalThis.fetch = before.fetch;
      process.env = before.env;
      for (const client of clients) client.restore();
    },
  };
}

function refuse({ denied }: FakeAccount, action: string): void {
  if (denied.includes(action)) throw awsError('AccessDeniedException', 400, `not authorized to perform ${action}`);
}

function fakeStacks(account: FakeAccount, removed: string[]) {
  const client = mockClient(CloudFormationClient);
  const stacks = Object.entries(account.stacks).map(([StackName, { status, pipeline, stage = 'default' }]) => ({
    StackName,
    StackStatus: status ?? 'UPDATE_COMPLETE',
    CreationTime: new Date('2026-03-01'),
    Tags: [
      { Key: 'strata:stage', Value: stage },
      ...(pipeline === undefined ? [] : [{ Key: 'strata:pipeline', Value: pipeline }]),
    ],
    Outputs: ['', '_maintenance'].map((which) => ({
      OutputKey: which === '' ? 'StateMachineArn' : 'MaintenanceStateMachineArn',
      OutputValue: `${MACHINE}${StackName}${which}`,
    })),
  }));
  client.on(DeleteStackCommand).callsFake(({ StackName }: { readonly StackName: string }) => {
    removed.push(StackName);
    return {};
  });
  type Asked = { readonly NextToken?: string; readonly StackName?: string };
  client.on(DescribeStacksCommand).callsFake(({ NextToken, StackName }: Asked) => {
    refuse(account, 'cloudformation:DescribeStacks');
    // One that is deleted is waited for.
    if (StackName !== undefined && removed.includes(StackName)) {
      const StackStatus = account.stacks[StackName]?.stuck === true ? 'DELETE_FAILED' : 'DELETE_COMPLETE';
      return { Stacks: [{ StackName, StackStatus, CreationTime: new Date(0) }] };
    }
    // A page for each, as many accounts have more stacks than one page has.
    const at = Number(NextToken ?? 0);
    return { Stacks: stacks.slice(at, at + 1), ...(at + 1 < stacks.length ? { NextToken: String(at + 1) } : {}) };
  });
  client.on(ListStackResourcesCommand).callsFake(({ StackName }: { readonly StackName: string }) => ({
    StackResourceSummaries: [
      ...(account.stacks[StackName]?.databases ?? []).map((name) => ({
        ResourceType: 'AWS::Glue::Database',
        PhysicalResourceId: name,
      })),
      ...(account.stacks[StackName]?.roles ?? []).map((id) => ({
        ResourceType: 'AWS::IAM::Role',
        LogicalResourceId: id,
      })),
    ],
  }));
  return client;
}

function fakeDatabases({ databases }: FakeAccount) {
  const client = mockClient(GlueClient);
  const DatabaseList = Object.entries(databases).map(([Name, Description]) => ({ Name, Description }));
  client.on(GetDatabasesCommand).resolves({ DatabaseList: [{ Name: 'default' }, ...DatabaseList] });
  return client;
}

function fakeBuckets({ buckets }: FakeAccount) {
  const client = mockClient(S3Client);
  client.on(ListBucketsCommand).resolves({ Buckets: buckets.map((Name) => ({ Name })) });
  return client;
}

function fakeWorkgroups({ workgroups }: FakeAccount) {
  const client = mockClient(AthenaClient);
  client.on(GetWorkGroupCommand).callsFake(({ WorkGroup }: { readonly WorkGroup: string }) => {
    if (!workgroups.includes(WorkGroup)) {
      throw awsError('InvalidRequestException', 400, `WorkGroup ${WorkGroup} is not found.`);
    }
    return { WorkGroup: { Name: WorkGroup } };
  });
  return client;
}

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:';

function fakeMachines(account: FakeAccount) {
  const client = mockClient(SFNClient);
  const definition = (calls: readonly string[] = []): string =>
    JSON.stringify(calls.map((name) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`));
  client
    .on(ListExecutionsCommand)
    .callsFake(({ stateMachineArn, statusFilter, nextToken }: Record<string, string | undefined>) => {
      refuse(account, 'states:ListExecutions');
      const all = account.executions[stateMachineArn?.slice(MACHINE.length) ?? ''] ?? [];
      const found = all.filter(({ status }) => status === statusFilter);
      // A page for each.
      const at = Number(nextToken ?? 0);
      const executions = found.slice(at, at + 1).map(({ name, status, ended }) => ({
        ...{ name, status, executionArn: `arn:${name}`, stateMachineArn, startDate: new Date(0) },
        ...(ended === undefined ? {} : { stopDate: new Date(ended) }),
      }));
      return { executions, ...(at + 1 < found.length ? { nextToken: String(at + 1) } : {}) };
    });
  client.on(DescribeStateMachineCommand).callsFake(({ stateMachineArn }: { readonly stateMachineArn: string }) => {
    refuse(account, 'states:DescribeStateMachine');
    return { definition: definition(account.machines[stateMachineArn.slice(MACHINE.length)]) };
  });
  client
    .on(DescribeStateMachineForExecutionCommand)
    .callsFake(({ executionArn }: { readonly executionArn: string }) => {
      const all = Object.values(account.executions).flat();
      return { definition: definition(all.find(({ name }) => `arn:${name}` === executionArn)?.calls) };
    });
  return client;
}

/** What Lambda answers about functions, by their paths; undefined: there is no such function. */
function answerLambda({ account, removed }: World, url: URL, method: string): object | string | undefined {
  if (url.pathname.endsWith('/account-settings')) {
    const { calls, code } = account;
    return {
      AccountLimit: {
        ConcurrentExecutions: calls.all,
        UnreservedConcurrentExecutions: calls.unreserved,
        TotalCodeSize: code.most,
      },
      AccountUsage: { TotalCodeSize: code.has },
    };
  }
  const [, invoked] = /functions\/([\w-]+)\/invocations$/.exec(url.pathname) ?? [];
  if (invoked !== undefined) return account.origins.includes(invoked) ? {} : undefined;
  const [, name = ''] = /functions\/([\w-]+)/.exec(url.pathname) ?? [];
  const versions = account.versions[name];
  if (versions === undefined) return undefined;
  if (method === 'DELETE') {
    const version = `${name}:${url.searchParams.get('Qualifier')}`;
    if (version.endsWith(':66')) return 'ResourceConflictException';
    removed.push(version);
    return {};
  }
  // A page for each.
  const all = ['$LATEST', ...Object.keys(versions)];
  const at = Number(url.searchParams.get('Marker') ?? 0);
  const Versions = all.slice(at, at + 1).map((Version) => ({
    ...{ Version, CodeSize: 24_000_000 },
    LastModified: versions[Number(Version)] ?? '2026-01-01T00:00:00.000+0000',
  }));
  return { Versions, NextMarker: at + 1 < all.length ? String(at + 1) : null };
}

/** The action, and what answers it, by the host of the service. */
const SERVICES: Readonly<Record<string, readonly [string, (account: FakeAccount, page: number) => string]>> = {
  'sts.eu-west-1.amazonaws.com': [
    'sts:GetCallerIdentity',
    () => `<GetCallerIdentityResult><Arn>${CALLER}</Arn><Account>111122223333</Account></GetCallerIdentityResult>`,
  ],
  'ssm.eu-west-1.amazonaws.com': [
    'ssm:GetParameter',
    ({ bootstrap }) => JSON.stringify(bootstrap === null ? null : { Parameter: { Value: String(bootstrap) } }),
  ],
  'iam.amazonaws.com': [
    'iam:GetAccountSummary',
    ({ roles }) =>
      `<SummaryMap><entry><key>RolesQuota</key><value>1000</value></entry><entry>\n<key>Roles</key>\n<value>${roles}</value></entry></SummaryMap>`,
  ],
  'events.eu-west-1.amazonaws.com': [
    'events:ListRules',
    ({ rules }, page) => {
      const left = rules - page * 100;
      const Rules = Array.from({ length: Math.min(left, 100) }, (_, at) => ({ Name: `r${at}` }));
      return JSON.stringify({ Rules, ...(left > 100 ? { NextToken: String(page + 1) } : {}) });
    },
  ],
  'monitoring.eu-west-1.amazonaws.com': [
    'cloudwatch:DescribeAlarms',
    ({ alarms }, page) => {
      const left = alarms - page * 100;
      const next = left > 100 ? `<NextToken>${page + 1}</NextToken>` : '';
      return `${'<member><AlarmArn>a</AlarmArn></member>'.repeat(Math.min(left, 100))}${next}`;
    },
  ],
  'lakeformation.eu-west-1.amazonaws.com': [
    'lakeformation:GetDataLakeSettings',
    ({ lakeFormation }) => {
      const granted = [{ Principal: { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' }, Permissions: ['ALL'] }];
      const permissions = lakeFormation ? [] : granted;
      return JSON.stringify({
        DataLakeSettings: { CreateDatabaseDefaultPermissions: permissions, CreateTableDefaultPermissions: permissions },
      });
    },
  ],
};

type World = Changes & { readonly account: FakeAccount };

function answer(world: World, url: URL, init: RequestInit | undefined): Response {
  const { account } = world;
  const headers = { date: new Date(Date.now() + account.ahead).toUTCString() };
  const reply = (status: number, body: string): Response => new Response(body, { status, headers });
  if (url.host === 'lambda.eu-west-1.amazonaws.com') {
    const found = answerLambda(world, url, init?.method ?? 'GET');
    if (typeof found === 'object') return reply(200, JSON.stringify(found));
    const type = `${found ?? 'ResourceNotFoundException'}:http://internal.amazon.com/`;
    return new Response('{"Type":"User","Message":"no"}', {
      status: found === undefined ? 404 : 409,
      headers: { ...headers, 'x-amzn-errortype': type },
    });
  }
  const [action, respond] = SERVICES[url.host] ?? [];
  const signed = new Headers(init?.headers).get('authorization') ?? '';
  if (action === undefined || respond === undefined) return reply(404, url.host);
  if (!signed.includes(`/${url.host.split('.')[0]}/aws4_request`)) return reply(403, '{"message":"not signed"}');
  if (account.denied.includes(action)) {
    return reply(400, `{"__type":"AccessDeniedException","Message":"not authorized to perform ${action}"}`);
  }
  const [, page = '0'] = /NextToken[":=]+(\d+)/.exec(String(init?.body ?? '')) ?? [];
  const text = respond(account, Number(page));
  if (text === 'null') return reply(400, '{"__type":"com.amazonaws.ssm#ParameterNotFound"}');
  return reply(200, text);
}
