import type { AskAws } from '../core/aws-question.ts';

/** Who asks, by AWS's answer. */
export type Identity = { readonly account: string; readonly arn: string; readonly at: Date };

/** Source: docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
export async function whoAmI(ask: AskAws): Promise<Identity> {
  const form = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
  const { text, at } = await ask({ service: 'sts', action: 'sts:GetCallerIdentity', kind: 'query', form });
  return { account: element(text, 'Account') ?? '', arn: element(text, 'Arn') ?? '', at };
}

/** The version of the account's bootstrap stack; undefined: there is none. */
export async function bootstrapVersion(ask: AskAws): Promise<number | undefined> {
  try {
    const body = { Name: '/cdk-bootstrap/hnb659fds/version' };
    const target = 'AmazonSSM.GetParameter';
    const { text } = await ask({ service: 'ssm', action: 'ssm:GetParameter', kind: 'json', target, body });
    const { Parameter } = JSON.parse(text) as { readonly Parameter?: { readonly Value?: string } };
    return Number(Parameter?.Value);
  } catch (cause) {
    if (cause instanceof Error && /ParameterNotFound/.test(cause.message)) return undefined;
    throw cause;
  }
}

/** Calls of Lambda that may work at once, and those of them that no function has reserved; bytes of code that there are, and that there may be. */
export type LambdaLimits = {
  readonly all: number;
  readonly unreserved: number;
  readonly code: { readonly has: number; readonly most: number };
};

/** Source: docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html */
export async function lambdaLimits(ask: AskAws): Promise<LambdaLimits> {
  const path = '/2016-08-19/account-settings';
  const { text } = await ask({ service: 'lambda', action: 'lambda:GetAccountSettings', kind: 'get', path });
  const { AccountLimit, AccountUsage } = JSON.parse(text) as {
    readonly AccountLimit: {
      readonly ConcurrentExecutions: number;
      readonly UnreservedConcurrentExecutions: number;
      readonly TotalCodeSize: number;
    };
    readonly AccountUsage: { readonly TotalCodeSize: number };
  };
  return {
    all: AccountLimit.ConcurrentExecutions,
    unreserved: AccountLimit.UnreservedConcurrentExecutions,
    code: { has: AccountUsage.TotalCodeSize, most: AccountLimit.TotalCodeSize },
  };
}

/** Roles that there are, and that there may be. Source: docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
export async function roles(ask: AskAws): Promise<{ readonly has: number; readonly most: number }> {
  const form = { Action: 'GetAccountSummary', Version: '2010-05-08' };
  const { text } = await ask({ service: 'iam', action: 'iam:GetAccountSummary', global: true, kind: 'query', form });
  const entry = (key: string): number =>
    Number(new RegExp(`<key>${key}</key>\\s*<value>(\\d+)</value>`).exec(text)?.[1] ?? Number.NaN);
  return { has: entry('Roles'), most: entry('RolesQuota') };
}

/** Rules of the default bus. Source: docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html */
export async function rules(ask: AskAws): Promise<number> {
  let count = 0;
  let NextToken: string | undefined;
  do {
    const body = { Limit: 100, ...(NextToken === undefined ? {} : { NextToken }) };
    const target = 'AWSEvents.ListRules';
    const { text } = await ask({ service: 'events', action: 'events:ListRules', kind: 'json', target, body });
    const page = JSON.parse(text) as { readonly Rules?: readonly unknown[]; readonly NextToken?: string };
    count += page.Rules?.length ?? 0;
    NextToken = page.NextToken ?? undefined;
  } while (NextToken !== undefined);
  return count;
}

/** Alarms of the region. Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html */
export async function alarms(ask: AskAws): Promise<number> {
  let count = 0;
  let next: string | undefined;
  do {
    const form = { Action: 'DescribeAlarms', Version: '2010-08-01', MaxRecords: '100' };
    const { text } = await ask({
      service: 'monitoring',
      action: 'cloudwatch:DescribeAlarms',
      kind: 'query',
      form: next === undefined ? form : { ...form, NextToken: next },
    });
    count += text.match(/<AlarmArn>/g)?.length ?? 0;
    next = element(text, 'NextToken');
  } while (next !== undefined && next !== '');
  return count;
}

/**
 * Whether what is new in the catalog is guarded by IAM alone, as it is until somebody turns Lake Formation on.
 * Source: docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html
 */
export async function guardedByIam(ask: AskAws): Promise<boolean> {
  const { text } = await ask({
    service: 'lakeformation',
    action: 'lakeformation:GetDataLakeSettings',
    kind: 'rest',
    path: '/GetDataLakeSettings',
    body: {},
  });
  type Granted = readonly { readonly Principal?: { readonly DataLakePrincipalIdentifier?: string } }[];
  const { DataLakeSettings: settings } = JSON.parse(text) as {
    readonly DataLakeSettings?: {
      readonly CreateDatabaseDefaultPermissions?: Granted;
      readonly CreateTableDefaultPermissions?: Granted;
    };
  };
  const toAll = (granted: Granted = []): boolean =>
    granted.some(({ Principal }) => Principal?.DataLakePrincipalIdentifier === 'IAM_ALLOWED_PRINCIPALS');
  return toAll(settings?.CreateDatabaseDefaultPermissions) && toAll(settings?.CreateTableDefaultPermissions);
}

function element(text: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
}
