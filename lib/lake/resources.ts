/** Resources that are given back together, the last first. */
export type Held = AsyncDisposable & { add<Resource extends AsyncDisposable>(resource: Resource): Resource };

export function holdResources(): Held {
  const held: AsyncDisposable[] = [];
  return {
    add(resource) {
      held.push(resource);
      return resource;
    },
    [Symbol.asyncDispose]: () => releaseAll(held),
  };
}

/** Acquires one resource after the other. Where one fails, those before it are given back. */
export async function acquireAll<Resource extends AsyncDisposable>(
  acquire: readonly (() => Promise<Resource>)[],
): Promise<readonly Resource[]> {
  const acquired: Resource[] = [];
  try {
    for (const one of acquire) acquired.push(await one());
    return acquired;
  } catch (cause) {
    await releaseAll(acquired);
    throw cause;
  }
}

/** Gives all back, the last first. */
export async function releaseAll(resources: readonly AsyncDisposable[]): Promise<void> {
  for (const one of resources.toReversed()) await one[Symbol.asyncDispose]();
}

/** Answers a resource once it is ready for its use, and gives it back where getting it ready fails. */
export async function keepOrRelease<Resource extends AsyncDisposable>(
  resource: Resource,
  prepare: () => Promise<void>,
): Promise<Resource> {
  try {
    await prepare();
    return resource;
  } catch (cause) {
    await resource[Symbol.asyncDispose]();
    throw cause;
  }
}
