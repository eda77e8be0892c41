/** Requests to the store under way at once for one operation. */
export const CONCURRENCY = 8;

/**
 * Maps in order with at most `limit` calls under way. After a failure no further item is begun; those under way end, so
 * that nothing works on after the answer, and the first failure is thrown.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  map: (item: T, index: number) => Promise<R>,
  limit = CONCURRENCY,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const failures: unknown[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // All workers draw from one iterator, so that a slow item holds up only its own worker.
    for (const [index, item] of queue) {
      try {
        results[index] = await map(item, index);
      } catch (cause) {
        failures.push(cause);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
