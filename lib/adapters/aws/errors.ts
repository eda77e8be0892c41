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
  readonly $retryable?: unknown;
};

const DENIED = /^(AccessDenied|AccessDeniedException|AllAccessDisabled|UnauthorizedOperation|403)$/;
const KEY_DENIED = /^(KMS\.|KmsAccessDenied|KMSAccessDenied)/;
const EXPIRED = /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/;
const NO_CREDENTIALS =
  /^(CredentialsProviderError|TokenProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException)$/;
const PASSING =
  /^(SlowDown|ThrottlingException|Throttling|ThrottledException|KMSThrottlingException|TooManyRequestsException|RequestLimitExceeded|RequestTimeout|RequestTimeoutException|ProvisionedThroughputExceededException|InternalError|InternalFailure|InternalServerError|InternalServiceException|ServiceUnavailable|ServiceUnavailableException|OperationTimeoutException|TimeoutError|AbortError|NetworkingError|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|IncompleteBody)$/;

/** The name by which AWS tells an error's kind, and the HTTP status, both as far as there are any. */
export function sdkErrorOf(cause: unknown): { readonly name: string; readonly status: number | undefined } {
  const error = (typeof cause === 'object' && cause !== null ? cause : {}) as SdkError;
  const name = [error.name, error.Code, error.code].find((text) => text !== undefined && text !== 'Error') ?? 'Error';
  return { name, status: error.$metadata?.httpStatusCode };
}

/** Whether the same call may succeed when it is made again: throttling, timeouts, faults of the network and of AWS. */
export function isPassing(cause: unknown): boolean {
  const { name, status } = sdkErrorOf(cause);
  const code = (cause as SdkError | undefined)?.code;
  if (PASSING.test(name) || (code !== undefined && PASSING.test(code))) return true;
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
  if (isPassing(cause)) return new Unavailable(`${at} is not possible now: ${reasonOf(cause, name)}`, { cause });
  return new InvalidInput(`${at} failed: ${reasonOf(cause, name)}. ${remedyOf(call, name, status)}`, [], { cause });
}

function reasonOf(cause: unknown, name: string): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message === '' || message === name ? name : `${name}: ${message}`;
}

function remedyOf({ action, resource }: AwsCall, name: string, status: number | undefined): string {
  if (EXPIRED.test(name)) return 'The credentials have expired: log in again (aws sso login) or renew them';
  if (NO_CREDENTIALS.test(name)) {
    return 'No valid credentials were found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';
  }
  if (name === 'NoSuchBucket')
    return `There is no such bucket: deploy the lake (npx cdk deploy --all), or name the right stage`;
  if (KEY_DENIED.test(name)) return `Grant kms:Decrypt and kms:GenerateDataKey on the key of ${resource} to the caller`;
  if (DENIED.test(name) || status === 403) return `Grant ${action} on ${resource} to the caller`;
  return 'The call was refused as it is; see the reason';
}
