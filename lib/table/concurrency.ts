/** Requests to the store under way at once for one operation. */
export const CONCURRENCY = 8;

/** Maps in order with at most `limit` calls under way; the first failure stops further calls and is thrown. */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  map: (item: T, index: number) => Promise<R>,
  limit = CONCURRENCY,
): Promise<readonly R[]> {
  const results = new Array<R>(items.length);
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // All workers draw from one iterator, so that a slow item holds up only its own worker.
    for (const [index, item] of queue) results[index] = await map(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
