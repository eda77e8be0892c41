import { mapConcurrent } from '../../core/concurrency.ts';
import type { Borrowed } from '../../ports.ts';
import { releaseAll } from '../resources.ts';

/** What was lent at several times, as if it had been lent at once. */
export function joinBorrowed(all: readonly Borrowed[]): Borrowed {
  return {
    paths: new Map(all.flatMap((b) => [...b.paths])),
    changed: new Map(all.flatMap((b) => [...b.changed])),
    verify: async () => new Map((await mapConcurrent(all, (b) => b.verify())).flatMap((found) => [...found])),
    [Symbol.asyncDispose]: () => releaseAll(all),
  };
}
