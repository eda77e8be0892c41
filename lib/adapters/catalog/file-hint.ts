import { StrataError } from '../../core/errors.ts';
import type { TableId } from '../../core/tables.ts';
import type { ObjectStore } from '../../ports.ts';
import { bytesOf, metadataFolder, readableFilesOf } from './file-versions.ts';

/** A version hint as it was read: the number that it names, if it names one. */
export type Hint = { readonly number: number | undefined; readonly etag: string | undefined };

/** How often a hint is tried while others move it as well; each of them moves it forward. */
const ATTEMPTS = 8;

export function hintKey(id: TableId): string {
  return `${metadataFolder(id)}version-hint.text`;
}

export async function readHint(store: ObjectStore, id: TableId): Promise<Hint> {
  const found = await bytesOf(store, hintKey(id));
  const text = found === undefined ? '' : new TextDecoder().decode(found.bytes);
  return { number: /^[1-9]\d{0,14}\s*$/.test(text) ? Number(text) : undefined, etag: found?.etag };
}

/**
 * Moves the hint to a version that is there, never back from a later one that is. Answers `passed` when it names a later
 * one. The versions themselves say what the table is, so a passing fault is nobody's concern: the next to look mends it.
 */
export async function moveHint(store: ObjectStore, id: TableId, number: number): Promise<'moved' | 'passed'> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const hint = await readHint(store, id);
      if (hint.number === number) return 'moved';
      if ((hint.number ?? 0) > number && (await readableFilesOf(store, id, hint.number ?? 0)).length > 0)
        return 'passed';
      const condition =
        hint.etag === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'match', etag: hint.etag } as const);
      const bytes = new TextEncoder().encode(String(number));
      if ((await store.write(hintKey(id), bytes, condition)).kind === 'written') return 'moved';
    }
  } catch (cause) {
    if (!(cause instanceof StrataError)) throw cause;
  }
  return 'moved';
}
