/**
 * Works on items, at most `limit` at once, and answers in their order. After a failure no further item is begun, those
 * under way end, and the first failure is thrown.
 */
export async function inTurns<T, R>(
  limit: number,
  items: readonly T[],
  act: (item: T, at: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next;
      next += 1;
      try {
        results[at] = await act(items[at] as T, at);
      } catch (cause) {
        failures.push(cause);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
