import { Unavailable } from '../../core/errors.ts';
import type { Clock } from '../../ports.ts';
import { type AwsCall, awsFailure, isPassing } from '../aws/errors.ts';

/** How long to go on asking. `wait` resolves after so many milliseconds, `random` gives numbers from 0 to below 1. */
export type Patience = {
  readonly wait: (ms: number) => Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
};

/**
 * What an error says of the call: `not-done` and may be asked again, `conflict` with another change, `missing` entity,
 * `lost`: nobody knows whether it was done, `refused` for good.
 */
export type GlueFault = 'not-done' | 'conflict' | 'missing' | 'lost' | 'refused';

const DEADLINE_MS = 60_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/** Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-exceptions.html and the SDK's list of throttling codes. */
const FAULTS: Readonly<Record<string, GlueFault>> = {
  ThrottlingException: 'not-done',
  Throttling: 'not-done',
  ThrottledException: 'not-done',
  TooManyRequestsException: 'not-done',
  RequestLimitExceeded: 'not-done',
  RequestThrottledException: 'not-done',
  ResourceNotReadyException: 'not-done',
  ConcurrentModificationException: 'conflict',
  VersionMismatchException: 'conflict',
  AlreadyExistsException: 'conflict',
  EntityNotFoundException: 'missing',
  InternalServiceException: 'lost',
  OperationTimeoutException: 'lost',
  FederationSourceRetryableException: 'lost',
};

export function classifyFault(cause: unknown): GlueFault {
  const known = cause instanceof Error ? FAULTS[cause.name] : undefined;
  if (known !== undefined) return known;
  if (metadataOf(cause).httpStatusCode === 429) return 'not-done';
  return isPassing(cause) ? 'lost' : 'refused';
}

/** Whether the SDK had asked before, so that the answer may be about the effect of its own earlier request. */
export function wasRepeated(cause: unknown): boolean {
  return (metadataOf(cause).attempts ?? 1) > 1;
}

function metadataOf(cause: unknown): { readonly httpStatusCode?: number; readonly attempts?: number } {
  return cause instanceof Error && '$metadata' in cause && typeof cause.$metadata === 'object'
    ? (cause.$metadata ?? {})
    : {};
}

/**
 * Pauses of growing length with full jitter; `pause` answers false, without waiting, once the deadline has passed.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function startPacing({ wait, clock, random }: Patience): { pause(): Promise<boolean> } {
  const deadline = clock.now().getTime() + DEADLINE_MS;
  let pauses = 0;
  return {
    async pause() {
      if (clock.now().getTime() >= deadline) return false;
      await wait(Math.ceil(random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** pauses)));
      pauses += 1;
      return true;
    },
  };
}

/**
 * The answer to a call that may be asked any number of times, or `undefined` when its entity does not exist. Throws
 * Unavailable when passing faults outlast the deadline, else what `awsFailure` makes of the refusal.
 */
export async function askUntilAnswered<T>(
  patience: Patience,
  call: AwsCall,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  const pacing = startPacing(patience);
  for (;;) {
    try {
      return await ask();
    } catch (cause) {
      const fault = classifyFault(cause);
      if (fault === 'missing') return undefined;
      if (fault === 'refused') throw awsFailure(call, cause);
      if (!(await pacing.pause())) throw stillFailing(call, cause);
    }
  }
}

/** A passing fault that did not pass in time. */
export function stillFailing({ action, resource }: AwsCall, cause: unknown): Unavailable {
  const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new Unavailable(`${action} on ${resource} still fails after ${DEADLINE_MS / 1000} s: ${reason}`, { cause });
}
