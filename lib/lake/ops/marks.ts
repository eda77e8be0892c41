import { createHash } from 'node:crypto';
import { mapConcurrent } from '../../core/concurrency.ts';
import { ObjectNotFound } from '../../core/errors.ts';
import { executionName, type Upload } from '../../core/trigger.ts';
import type { ObjectStore } from '../../ports.ts';
import { removeObjects } from '../../table/remove-objects.ts';

/**
 * Marks of what has happened and no run has dealt with: files that events named, and runs on a schedule that others do in
 * their place. A mark is written before an execution is started for it and removed after a run has published what it took.
 */
type Mark = { readonly files: readonly Upload[] } | { readonly compare: true };

/** Marks that a run looks at, and files that they may name in all; with more it compares bronze instead. */
export const MOST_MARKS = 10_000;

export type Marks = {
  /** Keys of marks, at most `MOST_MARKS`. */
  readonly keys: readonly string[];
  /** What they name, each file once; undefined when that is no use, and bronze has to be compared. */
  readonly files: readonly Upload[] | undefined;
};

function folderOf(pipeline: string): string {
  return `ops/${pipeline}/_landed/`;
}

/** Marks the files of a batch of events; the same batch has the same mark. */
export async function markFiles(store: ObjectStore, pipeline: string, files: readonly Upload[]): Promise<void> {
  await writeMark(store, `${folderOf(pipeline)}${executionName(files)}.json`, { files });
}

/** Marks that the next run is to compare bronze with what is known, on behalf of another run. */
export async function markComparison(store: ObjectStore, pipeline: string, runId: string): Promise<void> {
  const name = createHash('sha256').update(runId).digest('hex').slice(0, 40);
  await writeMark(store, `${folderOf(pipeline)}compare-${name}.json`, { compare: true });
}

async function writeMark(store: ObjectStore, key: string, mark: Mark): Promise<void> {
  await store.write(key, new TextEncoder().encode(JSON.stringify(mark)), { kind: 'absent' });
}

/** The marks that are there. */
export async function readMarks(store: ObjectStore, pipeline: string): Promise<Marks> {
  const keys: string[] = [];
  for await (const { key } of store.list(folderOf(pipeline))) {
    if (keys.length === MOST_MARKS) return { keys, files: undefined };
    keys.push(key);
  }
  const files = new Map<string, Upload>();
  const marks = await mapConcurrent(keys, (key) => readMark(store, key));
  for (const mark of marks) {
    if (mark === undefined || 'compare' in mark || files.size > MOST_MARKS) return { keys, files: undefined };
    for (const file of mark.files) files.set(`${file.version ?? ''} ${file.key}`, file);
  }
  return { keys, files: files.size > MOST_MARKS ? undefined : [...files.values()] };
}

/** Undefined for what is no mark, or is gone: what it stood for is then found by comparing. */
async function readMark(store: ObjectStore, key: string): Promise<Mark | undefined> {
  try {
    const { files, compare } = JSON.parse(new TextDecoder().decode((await store.read(key)).bytes)) as Partial<
      Record<string, unknown>
    >;
    if (compare === true) return { compare };
    return Array.isArray(files) && files.every(isUpload) ? { files } : undefined;
  } catch (cause) {
    if (cause instanceof ObjectNotFound || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function isUpload(value: unknown): value is Upload {
  return typeof value === 'object' && value !== null && 'key' in value && typeof value.key === 'string';
}

export async function removeMarks(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await removeObjects(store, keys);
}
