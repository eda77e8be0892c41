import * as errors from '../core/errors.ts';
import { EXIT } from './context.ts';

/** How a command that could not do its work ends: its exit code, what it says, and the document under --json. */
export type Failure = {
  readonly exitCode: number;
  readonly message: string;
  readonly document: { readonly error: Readonly<Record<string, unknown>> };
};

/**
 * Wrong use says what is wrong, a Strata error says its message, and anything else is a fault of ours: it says so, with
 * the stack under --debug.
 */
export function describeFailure(error: unknown, debug: boolean): Failure {
  if (error instanceof errors.InvalidInput) {
    const document = { error: { name: error.name, message: error.message, problems: error.problems } };
    return { exitCode: EXIT.wrongUse, message: withStack(error.message, error, debug), document };
  }
  if (error instanceof errors.StrataError) {
    const message = `${error.name}: ${error.message}`;
    const document = { error: { name: error.name, message: error.message } };
    return { exitCode: EXIT.failed, message: withStack(message, error, debug), document };
  }
  const name = error instanceof Error ? error.name : 'Error';
  const reason = error instanceof Error ? error.message : String(error);
  const advice = debug ? '' : '. This is a fault of Strata; --debug shows where it happened';
  return {
    exitCode: EXIT.failed,
    message: withStack(`unexpected error: ${name}: ${reason}${advice}`, error, debug),
    document: { error: { name, message: reason } },
  };
}

/** The error of a run, by which only its name tells whether it was raised on purpose. */
export function describeRunError({ name, message }: { readonly name: string; readonly message: string }): string {
  const ours = name in errors || name.startsWith('States.');
  return ours ? `${name}: ${message}` : `unexpected error: ${name}: ${message}. This is a fault of Strata`;
}

function withStack(message: string, error: unknown, debug: boolean): string {
  if (!debug || !(error instanceof Error)) return message;
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return `${message}\n${error.stack ?? ''}${cause}`;
}
