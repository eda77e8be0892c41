import { InvalidInput, type StrataError, Unavailable } from '../../core/errors.ts';

/** A call to AWS: the IAM action, and what it was about in words a policy could name. */
export type AwsCall = { readonly action: string; readonly resource: string };

/** What of an SDK error tells its kind; everything is optional because anything can be thrown. */
type SdkError = {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
};

const DENIED = /^(AccessDenied|AccessDeniedException|AllAccessDisabled|UnauthorizedOperation|403)$/;
const EXPIRED = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/;
const NO_CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|InvalidToken|InvalidAccessKeyId|SignatureDoesNotMatch|UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException)$/;
const KEY_REFUSED = /^(KMS\.|KmsAccessDenied|KMSAccessDenied)/;
const OTHER_REGION =
  /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException|BucketRegionError)$/;
const PASSING =
  /^(SlowDown|ThrottlingException|Throttling|ThrottledException|KMSThrottlingException|TooManyRequestsException|RequestLimitExceeded|RequestTimeout|RequestTimeoutException|ProvisionedThroughputExceededException|InternalError|InternalFailure|InternalServerError|InternalServiceException|ServiceUnavailable|ServiceUnavailableException|OperationTimeoutException|OperationAborted|BadDigest|XAmzContentChecksumMismatch|IncompleteBody|TimeoutError|AbortError|NetworkingError|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|ERR_STREAM_PREMATURE_CLOSE)$/;

/** The name by which AWS tells an error's kind, and the HTTP status, both as far as there are any. */
export function sdkErrorOf(cause: unknown): { readonly name: string; readonly status: number | undefined } {
  const error = (typeof cause === 'object' && cause !== null ? cause : {}) as SdkError;
  const name = [error.name, error.Code, error.code].find((text) => text !== undefined && text !== 'Error') ?? 'Error';
  return { name, status: error.$metadata?.httpStatusCode };
}

/** Whether the same call may succeed when it is made again: throttling, timeouts, faults of the network and of AWS. */
export function isPassing(cause: unknown): boolean {
  const { name, status } = sdkErrorOf(cause);
  const code = (cause as SdkError | null | undefined)?.code;
  if (cause instanceof Unavailable || PASSING.test(name) || (code !== undefined && PASSING.test(code))) return true;
  return status !== undefined && (status >= 500 || status === 429);
}

/**
 * What a failed call means to Strata: Unavailable for what passes, InvalidInput for what a person has to put right,
 * naming the call and what to grant or do.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and the common errors of each service
 */
export function awsFailure(call: AwsCall, cause: unknown): StrataError {
  const { name, status } = sdkErrorOf(cause);
  const at = `${call.action} on ${call.resource}`;
  const reason = reasonOf(cause, name, status);
  if (isPassing(cause)) return new Unavailable(`${at} is not possible now: ${reason}`, { cause });
  return new InvalidInput(`${at} failed: ${reason}. ${remedyOf(call, name, status, reason)}`, [], { cause });
}

/** The answer to a HEAD request has no body, so that the SDK finds neither a name nor a message in it. */
function isNameless(name: string): boolean {
  return name === 'Unknown' || name === 'UnknownError';
}

function reasonOf(cause: unknown, name: string, status: number | undefined): string {
  if (isNameless(name) && status !== undefined) return `status ${status}, without a reason`;
  const message = cause instanceof Error ? cause.message : String(cause);
  return message === '' || message === name ? name : `${name}: ${message.replace(/[.\s]+$/, '')}`;
}

function remedyOf({ action, resource }: AwsCall, name: string, status: number | undefined, reason: string): string {
  const nameless = isNameless(name);
  if (EXPIRED.test(name)) return 'The credentials have expired: log in again (aws sso login) or renew them';
  if (NO_CREDENTIALS.test(name)) {
    return 'No valid credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  if (name === 'RequestTimeTooSkewed') return 'The clock of this machine is wrong: set it';
  if (name === 'InvalidObjectState') return `The object is archived: restore ${resource} and run again`;
  if (name === 'NoSuchBucket')
    return 'There is no such bucket: deploy the lake (npx cdk deploy --all), or name the right stage';
  if (OTHER_REGION.test(name) || (nameless && status === 301)) {
    return 'The lake is in another region: set AWS_REGION to the region it was deployed to';
  }
  if (nameless && status === 400) return 'Most often the credentials have expired: log in again (aws sso login)';
  const denied = DENIED.test(name) || status === 403;
  // A service that may not use the key says AccessDenied too, with the action on the key in its message.
  if (KEY_REFUSED.test(name) || (denied && reason.includes('kms:'))) {
    return `Grant kms:Decrypt and kms:GenerateDataKey on the key of ${resource} to the caller, and see that the key is enabled`;
  }
  if (denied) return `Grant ${action} on ${resource} to the caller${missingHint(action)}`;
  return 'The call was refused as it is; see the reason';
}

function missingHint(action: string): string {
  return action.startsWith('s3:GetObject')
    ? '; if the object may not exist, s3:ListBucket on its bucket too, without which S3 answers alike for a missing one'
    : '';
}
