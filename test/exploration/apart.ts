import { Worker } from 'node:worker_threads';
import type { Bounds } from './explore.ts';
import type { Laboratory } from './laboratory.ts';
import type { Scenario } from './play.ts';
import type { CatalogKind } from './world.ts';

export type Searched = Awaited<ReturnType<Laboratory['search']>>;
/** What the thread is asked. */
export type Question = readonly [scenario: Scenario, bounds: Bounds];
/** What it answers; an error by its text. */
export type Answer = { readonly searched: Searched } | { readonly error: string };

/**
 * A laboratory in a thread of its own: the runner of tests follows every promise of the thread that it is in, which
 * takes a third of the time of a search.
 */
export function openApart(kind: CatalogKind): AsyncDisposable & Pick<Laboratory, 'search'> {
  const thread = new Worker(new URL('./apart-thread.ts', import.meta.url), { workerData: kind });
  return {
    async search(...question: Question) {
      const answer = await new Promise<Answer>((answered, failed) => {
        thread.once('message', answered).once('error', failed);
        thread.postMessage(question);
      });
      if ('error' in answer) throw new Error(answer.error);
      return answer.searched;
    },
    [Symbol.asyncDispose]: async () => {
      thread.postMessage(null);
      await new Promise((ended) => thread.once('exit', ended));
    },
  };
}
