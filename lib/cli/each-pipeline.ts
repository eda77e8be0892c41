import { InvalidInput } from '../core/errors.ts';
import type { Context } from './context.ts';

/**
 * What there is to tell of each of some pipelines. One of which nothing can be told, since it does not compile and nothing says what it
 * was, is named on stderr and hides no other; `whole` is false then.
 */
export async function tellEach<T>(
  { note }: Pick<Context, 'note'>,
  names: readonly string[],
  tell: (pipeline: string) => Promise<T>,
): Promise<{ readonly found: readonly T[]; readonly whole: boolean }> {
  const found: T[] = [];
  for (const name of names) {
    try {
      found.push(await tell(name));
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) throw cause;
      note(cause.message);
    }
  }
  return { found, whole: found.length === names.length };
}
