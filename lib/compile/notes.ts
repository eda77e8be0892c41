import { isLosslessNumber } from 'lossless-json';
import type { Problem } from '../core/errors.ts';

const LONGEST = 80;

/** Where the compiler writes down what is wrong, so that all of it is reported at once. */
export type Notes = {
  readonly found: readonly Problem[];
  add(place: string, got: string, expected: string): void;
  /** The same list, with problems placed in another file. */
  inFile(file: string): Notes;
};

export function createNotes(file: string): Notes {
  return notesInto([], file);
}

function notesInto(found: Problem[], file: string): Notes {
  return {
    found,
    add(place, got, expected) {
      found.push({ file, place, got, expected });
    },
    inFile: (other) => notesInto(found, other),
  };
}

/** A place inside another: `silver` and `x` -> `silver.x`; `partitionBy` and 0 -> `partitionBy[0]`. */
export function placeIn(place: string, key: PropertyKey): string {
  if (typeof key === 'number') return `${place}[${key}]`;
  const text = String(key);
  if (!/^[A-Za-z_$][\w$]*$/.test(text)) return `${place}[${JSON.stringify(text)}]`;
  return place === '' ? text : `${place}.${text}`;
}

/** A value as a person would write it, shortened. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof RegExp) return `the RegExp ${value}`;
  if (isLosslessNumber(value)) return value.value;
  const text = jsonText(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

function jsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, inner: unknown) => {
      if (isLosslessNumber(inner)) return Number(inner.value);
      return typeof inner === 'bigint' ? `${inner}n` : inner;
    });
  } catch {
    // Circular objects have no JSON text.
    return undefined;
  }
}
