import { firstCodePoints } from './transforms.ts';
import type { IcebergType, IcebergValue } from './types.ts';
import { encodeValue } from './values.ts';

/** Code points of a string and bytes of a binary that a bound keeps, Iceberg's own `truncate(16)`. */
const KEPT = 16;

/** The serialised lower bound; undefined when the value bounds nothing (NaN). `kept`: of texts and bytes so much. */
export function encodeLowerBound(type: IcebergType, value: IcebergValue, kept = KEPT): Uint8Array | undefined {
  if (typeof value === 'string') return encodeValue(type, firstCodePoints(value, kept));
  if (value instanceof Uint8Array) return value.slice(0, kept);
  return encodeNumber(type, value, -0);
}

/**
 * The serialised upper bound. A shortened text is raised at its last code point, so that it still bounds from above;
 * undefined when nothing above it is short enough.
 */
export function encodeUpperBound(type: IcebergType, value: IcebergValue, kept = KEPT): Uint8Array | undefined {
  if (typeof value === 'string') {
    const first = firstCodePoints(value, kept);
    const bound = first.length < value.length ? raisedText(first) : first;
    return bound === undefined ? undefined : encodeValue(type, bound);
  }
  if (value instanceof Uint8Array) return value.length > kept ? raisedBytes(value.slice(0, kept)) : value;
  return encodeNumber(type, value, 0);
}

/** DuckDB takes -0.0 and 0.0 as one value and reports either, Java orders them: a zero bound takes the outer one. */
function encodeNumber(type: IcebergType, value: IcebergValue, zero: number): Uint8Array | undefined {
  return typeof value === 'number' && Number.isNaN(value) ? undefined : encodeValue(type, outerZero(type, value, zero));
}

/** The value, or the given zero for a zero of a floating type. */
export function outerZero(type: IcebergType, value: IcebergValue, zero: number): IcebergValue {
  return (type === 'float' || type === 'double') && value === 0 ? zero : value;
}

function raisedText(text: string): string | undefined {
  const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no code points of their own: the next one after U+D7FF is U+E000.
    const next = last === 0xd7ff ? 0xe000 : last + 1;
    if (next <= 0x10ffff) return String.fromCodePoint(...points, next);
  }
  return undefined;
}

function raisedBytes(bytes: Uint8Array): Uint8Array | undefined {
  const last = bytes.findLastIndex((byte) => byte < 0xff);
  if (last < 0) return undefined;
  const raised = bytes.slice(0, last + 1);
  raised[last] = (raised[last] ?? 0) + 1;
  return raised;
}
