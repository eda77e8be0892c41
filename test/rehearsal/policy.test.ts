import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RawRequest, readCall } from './aws-call.ts';
import { createCallbacks } from './callbacks.ts';
import { refusedResources, type Statement } from './policy.ts';

const callbacks = createCallbacks();
const { token } = callbacks.begin('arn:m', 60_000);
// Nobody waits for it.
callbacks.forget(token);

const signed = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=strata-hr-open.1/20260101/eu-central-1/${service}/aws4_request, SignedHeaders=host, Signature=x`;

const request = (service: string, method: string, url: string, body = '', target?: string): RawRequest => ({
  method,
  url,
  headers: { authorization: signed(service), ...(target === undefined ? {} : { 'x-amz-target': target }) },
  body,
});

const object = 'arn:aws:s3:::b/ops/hr/a b.json';
const glue = 'arn:aws:glue:eu-central-1:123456789012';

const CALLS: readonly (readonly [RawRequest, string, readonly string[], object])[] = [
  [request('s3', 'GET', '/b/ops/hr/a%20b.json?x-id=GetObject'), 's3:GetObject', [object], {}],
  [request('s3', 'HEAD', '/b/ops/hr/a%20b.json?versionId=v'), 's3:GetObjectVersion', [object], {}],
  [request('s3', 'PUT', '/b/ops/hr/a%20b.json'), 's3:PutObject', [object], {}],
  [request('s3', 'POST', '/b/ops/hr/a%20b.json?uploads'), 's3:PutObject', [object], {}],
  [request('s3', 'DELETE', '/b/ops/hr/a%20b.json?uploadId=u'), 's3:AbortMultipartUpload', [object], {}],
  [request('s3', 'DELETE', '/b/ops/hr/a%20b.json'), 's3:DeleteObject', [object], {}],
  [
    request('s3', 'GET', '/b?list-type=2&prefix=ops%2Fhr'),
    's3:ListBucket',
    ['arn:aws:s3:::b'],
    { 's3:prefix': 'ops/hr' },
  ],
  [request('s3', 'GET', '/b/?versions&prefix=x'), 's3:ListBucketVersions', ['arn:aws:s3:::b'], { 's3:prefix': 'x' }],
  [
    request(
      's3',
      'POST',
      '/b?delete',
      '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>',
    ),
    's3:DeleteObject',
    ['arn:aws:s3:::b/a&b', 'arn:aws:s3:::b/c'],
    {},
  ],
  [
    request('glue', 'POST', '/', '{"DatabaseName":"d","TableInput":{"Name":"t"}}', 'AWSGlue.UpdateTable'),
    'glue:UpdateTable',
    [`${glue}:catalog`, `${glue}:database/d`, `${glue}:table/d/t`],
    {},
  ],
  [
    request('glue', 'POST', '/', '{"Name":"d"}', 'AWSGlue.GetDatabase'),
    'glue:GetDatabase',
    [`${glue}:catalog`, `${glue}:database/d`],
    {},
  ],
  [request('sns', 'POST', '/', 'Action=Publish&TopicArn=arn%3At'), 'sns:Publish', ['arn:t'], {}],
  [
    request('states', 'POST', '/', '{"stateMachineArn":"arn:m"}', 'AWSStepFunctions.StartExecution'),
    'states:StartExecution',
    ['arn:m'],
    {},
  ],
  [
    request(
      'states',
      'POST',
      '/',
      JSON.stringify({ taskToken: token, output: '{}' }),
      'AWSStepFunctions.SendTaskSuccess',
    ),
    'states:SendTaskSuccess',
    ['arn:m'],
    {},
  ],
];

describe('calls of AWS', () => {
  for (const [given, action, resources, context] of CALLS) {
    it(`${given.method} ${given.url} is ${action}`, () => {
      const many = given.url.endsWith('?delete') ? { removesMany: true } : {};
      assert.deepEqual(readCall(given), { principal: 'strata-hr-open.1', action, resources, context, ...many });
    });
  }

  it('are nobody’s without a signature', () => {
    assert.equal(readCall({ method: 'GET', url: '/', headers: {}, body: '' }), undefined);
  });

  it('of an unknown service are refused', () => {
    assert.throws(() => readCall(request('kms', 'POST', '/', '{}', 'TrentService.Decrypt')), /kms:Decrypt/);
  });
});

const statements: readonly Statement[] = [
  { Effect: 'Allow', Action: ['s3:GetObject', 's3:Put*'], Resource: 'arn:aws:s3:::b/ops/hr/*' },
  {
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: ['arn:aws:s3:::b'],
    Condition: { StringLikeIfExists: { 's3:prefix': ['ops/hr/*'] } },
  },
  { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::b/ops/hr/secret' },
];

/** As the buckets of a lake have them. */
const ofBucket: readonly Statement[] = [
  { Effect: 'Allow', Action: '*', Resource: '*' },
  {
    Effect: 'Deny',
    Action: 's3:*',
    Resource: 'arn:aws:s3:::b/*',
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  },
  {
    Effect: 'Deny',
    Action: 's3:*',
    Resource: 'arn:aws:s3:::b/*',
    Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } },
  },
];

const PROTOCOLS: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['TLS 1.2', { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.2' }, true],
  ['TLS 1.1', { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.1' }, false],
  ['no TLS', { 'aws:SecureTransport': 'false' }, false],
];

const DECISIONS: readonly (readonly [string, string, string, object, boolean])[] = [
  ['an action on a resource', 's3:GetObject', 'arn:aws:s3:::b/ops/hr/x', {}, true],
  ['an action by its beginning', 's3:putobject', 'arn:aws:s3:::b/ops/hr/x', {}, true],
  ['another action', 's3:DeleteObject', 'arn:aws:s3:::b/ops/hr/x', {}, false],
  ['another resource', 's3:GetObject', 'arn:aws:s3:::b/ops/sales/x', {}, false],
  ['what a Deny names', 's3:GetObject', 'arn:aws:s3:::b/ops/hr/secret', {}, false],
  ['a condition that holds', 's3:ListBucket', 'arn:aws:s3:::b', { 's3:prefix': 'ops/hr/_runs/' }, true],
  ['a condition that does not', 's3:ListBucket', 'arn:aws:s3:::b', { 's3:prefix': 'ops/' }, false],
  ['a condition whose key is not there', 's3:ListBucket', 'arn:aws:s3:::b', {}, true],
];

describe('policies', () => {
  for (const [name, action, resource, context, allowed] of DECISIONS) {
    it(`${allowed ? 'allow' : 'refuse'} ${name}`, () => {
      const call = { action, resources: [resource], context: context as Record<string, string> };
      assert.deepEqual(refusedResources(statements, call), allowed ? [] : [resource]);
    });
  }

  for (const [name, context, allowed] of PROTOCOLS) {
    it(`of a bucket ${allowed ? 'allow' : 'refuse'} ${name}`, () => {
      const resources = ['arn:aws:s3:::b/x'];
      assert.deepEqual(
        refusedResources(ofBucket, { action: 's3:GetObject', resources, context }),
        allowed ? [] : resources,
      );
    });
  }

  it('need a key that a condition without IfExists names', () => {
    const strict: Statement = {
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 's3:prefix': 'a' } },
    };
    assert.deepEqual(refusedResources([strict], { action: 'a:b', resources: ['r'], context: {} }), ['r']);
  });

  it('with a condition that is not known are refused', () => {
    const odd: Statement = { Effect: 'Allow', Action: '*', Resource: '*', Condition: { IpAddress: { k: 'v' } } };
    assert.throws(() => refusedResources([odd], { action: 'a:b', resources: ['r'], context: { k: 'v' } }), /IpAddress/);
  });
});
