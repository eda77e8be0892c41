import { type KeyedModel, mergesOnRead } from '../../core/keyed.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { readMade } from './made-by.ts';

/** By which other engines know how changes are to be written. Source: https://iceberg.apache.org/docs/latest/configuration/#write-properties. */
const WRITE_MODES = ['write.delete.mode', 'write.update.mode', 'write.merge.mode'];

/**
 * What the properties of a keyed table have to say of its merges. One that was never merged on read says nothing, so that what
 * others have asked for there stays.
 */
export function writeProperties(model: KeyedModel, base: TableMetadata | undefined): Readonly<Record<string, string>> {
  const was = base === undefined ? undefined : readMade(base)?.write;
  if (mergesOnRead(model)) return saying('merge-on-read');
  return was === undefined ? {} : saying('copy-on-write');
}

function saying(mode: 'copy-on-write' | 'merge-on-read'): Readonly<Record<string, string>> {
  return Object.fromEntries(WRITE_MODES.map((name) => [name, mode]));
}
