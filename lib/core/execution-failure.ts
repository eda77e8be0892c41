/** What ended a run: the name that ErrorEquals matches, and the message. */
export type RunError = { readonly name: string; readonly message: string };

/** How an execution of the state machine ended, as DescribeExecution and EventBridge tell it. */
export type EndedExecution = {
  readonly arn: string;
  /** FAILED, TIMED_OUT or ABORTED. */
  readonly status: string;
  readonly error?: string | null | undefined;
  readonly cause?: string | null | undefined;
};

/** The error of the run behind an execution that ended: RunFailed's message begins with that error's name. */
export function errorOfExecution({ arn, status, error, cause }: EndedExecution): RunError {
  if (status === 'TIMED_OUT') return { name: 'States.Timeout', message: cause || `execution ${arn} timed out` };
  if (status === 'ABORTED') {
    return { name: 'States.Aborted', message: `execution ${arn} was stopped${cause ? `: ${cause}` : ''}` };
  }
  const message = messageOfCause(cause ?? '');
  if (error !== 'RunFailed') return { name: error || 'States.Runtime', message };
  const [, name, rest] = /^([A-Za-z.]+): ([\s\S]*)$/.exec(message) ?? [];
  return name === undefined || rest === undefined ? { name: error, message } : { name, message: messageOfCause(rest) };
}

/**
 * The message in a state's Cause: Lambda writes JSON, `{ errorType, errorMessage, trace }`; others write text.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export function messageOfCause(cause: string): string {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed !== 'object' || parsed === null || !('errorMessage' in parsed)) return cause;
    return typeof parsed.errorMessage === 'string' ? parsed.errorMessage : cause;
  } catch {
    return cause;
  }
}
