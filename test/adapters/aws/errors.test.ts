import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { awsFailure, isPassing, sdkErrorOf } from '../../../lib/adapters/aws/errors.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';

const CALL = { action: 's3:PutObject', resource: 's3://lake-ops/ops/p/x' };

/** What can be thrown by a call: by name, with a status and a message. */
function thrown(name: string, httpStatusCode?: number, message = 'what AWS says'): Error {
  const $metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
  return Object.assign(new Error(message), { name, $metadata });
}

function coded(code: string): Error {
  return Object.assign(new Error('what the system says'), { code });
}

const PASSING: readonly (readonly [string, unknown])[] = [
  ['throttling of S3', thrown('SlowDown', 503)],
  ['throttling of Glue', thrown('ThrottlingException', 400)],
  ['throttling by status alone', thrown('Unknown', 429)],
  ['an internal error', thrown('InternalError', 500)],
  ['a gateway without a name', thrown('Unknown', 502)],
  ['a request that was too slow', thrown('RequestTimeout', 400)],
  ['a body that arrived damaged at S3', thrown('BadDigest', 400)],
  ['another operation on the object', thrown('OperationAborted', 409)],
  ['a timeout of the SDK', thrown('TimeoutError')],
  ['a broken connection', coded('ECONNRESET')],
  ['no route', coded('ENETUNREACH')],
  ['a name that is not resolved now', coded('EAI_AGAIN')],
  ['what the store found unavailable', new Unavailable('the answer broke off')],
];

describe('what passes is Unavailable, naming the call', () => {
  for (const [what, cause] of PASSING) {
    it(what, () => {
      assert.equal(isPassing(cause), true);
      const failure = awsFailure(CALL, cause);
      assert.ok(failure instanceof Unavailable);
      assert.match(failure.message, /^s3:PutObject on s3:\/\/lake-ops\/ops\/p\/x is not possible now: /);
      assert.equal(failure.cause, cause);
    });
  }
});

const REFUSED: readonly (readonly [string, unknown, RegExp])[] = [
  ['denied', thrown('AccessDenied', 403), /Grant s3:PutObject on s3:\/\/lake-ops\/ops\/p\/x to the caller$/],
  ['denied by status alone', thrown('Unknown', 403), /status 403, without a reason\. Grant s3:PutObject on /],
  [
    'denied the key',
    thrown('AccessDenied', 403, 'User u is not authorized to perform: kms:GenerateDataKey on resource: k'),
    /Grant kms:Decrypt and kms:GenerateDataKey on the key of s3:\/\/lake-ops/,
  ],
  ['a key switched off', thrown('KMS.DisabledException', 400), /see that the key is enabled/],
  ['no bucket', thrown('NoSuchBucket', 404), /no such bucket: deploy the lake \(npx cdk deploy --all\)/],
  ['an expired token', thrown('ExpiredToken', 400), /have expired: log in again \(aws sso login\)/],
  ['an expired token of Glue', thrown('ExpiredTokenException', 400), /have expired/],
  ['400 of a request whose answer has no body', thrown('Unknown', 400), /Most often the credentials have expired/],
  ['no credentials', thrown('CredentialsProviderError'), /set AWS_PROFILE, or AWS_ACCESS_KEY_ID/],
  ['a wrong secret', thrown('SignatureDoesNotMatch', 403), /No valid credentials/],
  ['another region', thrown('PermanentRedirect', 301), /set AWS_REGION/],
  ['another region, without a body', thrown('Unknown', 301), /set AWS_REGION/],
  ['a wrong clock', thrown('RequestTimeTooSkewed', 403), /clock of this machine/],
  ['an archived object', thrown('InvalidObjectState', 403), /is archived: restore s3:\/\/lake-ops\/ops\/p\/x/],
  ['anything else', thrown('MalformedXML', 400), /MalformedXML: what AWS says\. The call was refused as it is/],
  ['what is no error', 'text', /failed: Error: text\. /],
  ['nothing', undefined, /failed: /],
  ['null', null, /failed: /],
];

describe('what a person has to put right is InvalidInput with the remedy', () => {
  for (const [what, cause, message] of REFUSED) {
    it(what, () => {
      assert.equal(isPassing(cause), false);
      const failure = awsFailure(CALL, cause);
      assert.ok(failure instanceof InvalidInput);
      assert.match(failure.message, /^s3:PutObject on s3:\/\/lake-ops\/ops\/p\/x failed: /);
      assert.match(failure.message, message);
      assert.equal(failure.cause, cause);
    });
  }
});

it('a denied read tells that S3 denies what is missing to those who may not list', () => {
  const denied = thrown('AccessDenied', 403);
  for (const action of ['s3:GetObject', 's3:GetObjectVersion']) {
    assert.match(awsFailure({ ...CALL, action }, denied).message, new RegExp(`Grant ${action} on .*s3:ListBucket`));
  }
  assert.doesNotMatch(awsFailure(CALL, denied).message, /ListBucket/);
});

it('an error is known by its name, else by its code', () => {
  assert.deepEqual(sdkErrorOf(thrown('NoSuchKey', 404)), { name: 'NoSuchKey', status: 404 });
  assert.deepEqual(sdkErrorOf(coded('EPIPE')), { name: 'EPIPE', status: undefined });
  assert.deepEqual(sdkErrorOf(undefined), { name: 'Error', status: undefined });
});
