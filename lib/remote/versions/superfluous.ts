/** A version of a function that was published, with the layers that it was published with. */
export type FunctionVersion = {
  readonly function: string;
  readonly version: number;
  /** Of its code, packed, which counts towards the account's. */
  readonly bytes: number;
  readonly publishedAt: Date;
};

/** The versions of functions that a state machine's definition names, as `function:version`. */
export function versionsIn(definition: string): readonly string[] {
  return Array.from(definition.matchAll(/:function:([\w-]+:\d+)/g), ([, name = '']) => name);
}

export function nameOfVersion({ function: name, version }: Pick<FunctionVersion, 'function' | 'version'>): string {
  return `${name}:${version}`;
}

/**
 * For so long after it was replaced a version stays in any case: lists of executions may not have one yet that began with it just now, and
 * a deploy may be undone. Source: docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
 */
const REPLACED_SINCE_MS = 60 * 60_000;

/** The versions of a function that no definition names; the newest stays, and so does what was replaced just now. */
export function superfluous(
  versions: readonly FunctionVersion[],
  named: ReadonlySet<string>,
  now: Date,
): readonly FunctionVersion[] {
  const inOrder = versions.toSorted((a, b) => a.version - b.version);
  return inOrder.filter((one, index) => {
    const next = inOrder[index + 1];
    if (next === undefined || named.has(nameOfVersion(one))) return false;
    return now.getTime() - next.publishedAt.getTime() > REPLACED_SINCE_MS;
  });
}
