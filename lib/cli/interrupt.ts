import { Interrupted } from '../core/interrupted.ts';

/** What a shell says of a process that a signal ended: 128 and the signal's number. */
const EXIT_OF = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof EXIT_OF;

export type Interrupts = {
  /** Acts with a signal that is aborted, with Interrupted as its reason, by the first SIGINT or SIGTERM. */
  during<T>(act: (interrupted: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
};

/**
 * Listens to SIGINT and SIGTERM. The first lets what is at work end in order, and what cannot be interrupted ends at once;
 * so does everything at the second.
 */
export function listenForInterrupts(told: (signal: Signal) => void): Interrupts {
  const controller = new AbortController();
  let atWork = 0;
  const on = (signal: Signal) => (): void => {
    if (atWork === 0 || controller.signal.aborted) process.exit(EXIT_OF[signal]);
    told(signal);
    controller.abort(new Interrupted(signal));
  };
  const handlers = { SIGINT: on('SIGINT'), SIGTERM: on('SIGTERM') };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, handlers[signal]);
  return {
    async during(act) {
      atWork += 1;
      try {
        return await act(controller.signal);
      } finally {
        atWork -= 1;
      }
    },
    close() {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, handlers[signal]);
    },
  };
}

/** The exit code of a command that was interrupted. */
export function exitOf({ signal }: Interrupted): number {
  return EXIT_OF[signal];
}
