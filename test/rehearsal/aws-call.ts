import { machineOfToken } from './callbacks.ts';

/** One call of AWS, as a policy sees it. `resources` are those that must all be granted. */
export type AwsCall = {
  /** The access key that signed it. */
  readonly principal: string;
  readonly action: string;
  readonly resources: readonly string[];
  /** Present: a POST that removes many objects, which is billed as a PUT. */
  readonly removesMany?: true;
  /** Condition keys that the call carries, such as s3:prefix. */
  readonly context: Readonly<Record<string, string>>;
  readonly status: number;
};

export type RawRequest = {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
};

const ACCOUNT = 'eu-central-1:123456789012';

/**
 * What an HTTP request asks of AWS, undefined when it is not signed. Throws an Error for a call whose action or resource
 * is not known here, so that no call goes without a check.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export function readCall(request: RawRequest): Omit<AwsCall, 'status'> | undefined {
  const signed = /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\/aws4_request/.exec(textOf(request.headers['authorization']));
  const [, principal, service] = signed ?? [];
  if (principal === undefined || service === undefined) return undefined;
  if (service === 's3') return { principal, ...readS3(request) };
  return { principal, context: {}, ...readOther(service, request) };
}

type What = Pick<AwsCall, 'action' | 'resources' | 'context' | 'removesMany'>;

function readS3({ method, url, body }: RawRequest): What {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const of = (action: string, resource = `arn:aws:s3:::${bucket}/${key}`): What => ({
    action: `s3:${action}`,
    resources: [resource],
    context: {},
  });
  if (key === '') return readBucketCall(method, bucket, searchParams, body);
  switch (method) {
    case 'GET':
    case 'HEAD':
      return of(searchParams.has('versionId') ? 'GetObjectVersion' : 'GetObject');
    case 'PUT':
    case 'POST':
      return of('PutObject');
    case 'DELETE':
      return of(searchParams.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject');
    default:
      throw new Error(`no such call of S3: ${method} ${url}`);
  }
}

function readBucketCall(method: string, bucket: string, query: URLSearchParams, body: string): What {
  const arn = `arn:aws:s3:::${bucket}`;
  if (method === 'POST' && query.has('delete')) {
    const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => `${arn}/${unescapeXml(key ?? '')}`);
    return { action: 's3:DeleteObject', resources: keys, context: {}, removesMany: true };
  }
  if (method !== 'GET' && method !== 'HEAD') throw new Error(`no such call of S3: ${method} on bucket ${bucket}`);
  const action = query.has('versions') ? 's3:ListBucketVersions' : 's3:ListBucket';
  const prefix = query.get('prefix');
  return { action, resources: [arn], context: prefix === null ? {} : { 's3:prefix': prefix } };
}

function unescapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => names[name] ?? '');
}

function readOther(service: string, { headers, body }: RawRequest): Pick<AwsCall, 'action' | 'resources'> {
  const target = textOf(headers['x-amz-target']);
  if (target === '') {
    const form = new URLSearchParams(body);
    return {
      action: `${service}:${form.get('Action')}`,
      resources: [form.get('TopicArn') ?? form.get('TargetArn') ?? '*'],
    };
  }
  const [, operation = ''] = target.split('.');
  const input = JSON.parse(body || '{}') as Record<string, unknown>;
  if (service === 'glue') return { action: `glue:${operation}`, resources: glueResources(input) };
  if (service === 'states') {
    const token = input['taskToken'];
    if (token !== undefined) return { action: `states:${operation}`, resources: [machineOfToken(String(token))] };
    return { action: `states:${operation}`, resources: [String(input['stateMachineArn'] ?? input['executionArn'])] };
  }
  if (service === 'secretsmanager') {
    const id = String(input['SecretId']);
    // Secrets Manager puts six characters of its own after a name.
    const arn = id.startsWith('arn:') ? id : `arn:aws:secretsmanager:${ACCOUNT}:secret:${id}-AbCdEf`;
    return { action: `secretsmanager:${operation}`, resources: [arn] };
  }
  throw new Error(`no way to tell the resource of ${service}:${operation}`);
}

/** A table is reached by way of its database and the catalog: all three must be granted. */
function glueResources(input: Record<string, unknown>): readonly string[] {
  const tableInput = input['TableInput'] as { Name?: string } | undefined;
  const database = input['DatabaseName'];
  const table = tableInput?.Name ?? (database === undefined ? undefined : input['Name']);
  const arn = (rest: string): string => `arn:aws:glue:${ACCOUNT}:${rest}`;
  return [
    arn('catalog'),
    ...(database === undefined ? [arn(`database/${String(input['Name'])}`)] : [arn(`database/${String(database)}`)]),
    ...(table === undefined ? [] : [arn(`table/${String(database)}/${String(table)}`)]),
  ];
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
