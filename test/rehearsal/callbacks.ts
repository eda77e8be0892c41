import { randomUUID } from 'node:crypto';

/** Step Functions' side of callbacks: who waits with which token. */
export type Callbacks = {
  /** A token for a state of the machine at that ARN, and what is kept when somebody calls back; after `ms` it throws States.Timeout. */
  begin(machineArn: string, ms: number): { readonly token: string; readonly called: Promise<void> };
  /** What SendTaskSuccess answers: undefined when an execution went on by it, otherwise the name of its error. */
  succeed(token: string): 'TaskDoesNotExist' | 'TaskTimedOut' | undefined;
  /** Nobody waits with the token any more. */
  forget(token: string): void;
};

/** Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html */
export function createCallbacks(): Callbacks {
  const waiting = new Map<string, () => void>();
  const late = new Set<string>();
  return {
    begin(machineArn, ms) {
      const token = `${machineArn}${SEPARATOR}${randomUUID()}`;
      const { promise: called, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        waiting.delete(token);
        late.add(token);
        reject(Object.assign(new Error(`nobody called back in ${ms} ms`), { name: 'States.Timeout' }));
      }, ms);
      waiting.set(token, () => {
        clearTimeout(timer);
        resolve();
      });
      return { token, called };
    },
    succeed(token) {
      const goOn = waiting.get(token);
      waiting.delete(token);
      goOn?.();
      if (goOn !== undefined) return undefined;
      return late.has(token) ? 'TaskTimedOut' : 'TaskDoesNotExist';
    },
    forget(token) {
      waiting.get(token)?.();
      waiting.delete(token);
    },
  };
}

const SEPARATOR = '#';

/** What rights to call back with a token are about. Elsewhere only its service can tell; those of the rehearsal begin with it. */
export function machineOfToken(token: string): string {
  return token.split(SEPARATOR)[0] ?? token;
}
