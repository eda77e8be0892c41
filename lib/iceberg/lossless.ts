import { isLosslessNumber, parse, stringify } from 'lossless-json';

/**
 * JSON whose 64-bit numbers survive. Iceberg metadata mixes ints (schema ids, field ids) and longs (snapshot ids,
 * sequence numbers, times); the key decides which one a number is, so a value's type never depends on its size.
 */
const LONG_KEYS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'current-snapshot-id',
  'source-snapshot-id',
  'snapshot-ids',
  'sequence-number',
  'last-sequence-number',
  'timestamp-ms',
  'last-updated-ms',
  'max-ref-age-ms',
  'max-snapshot-age-ms',
  'file-size-in-bytes',
  'file-footer-size-in-bytes',
]);

/** Parses JSON; numbers under Iceberg's long keys become bigint, all others number. Throws SyntaxError. */
export function parseLossless(text: string): unknown {
  return withNumbers(parse(text), '');
}

/** Renders a value whose bigints stand as plain JSON integers. Keys that hold undefined are left out. */
export function renderLossless(value: unknown): string {
  return stringify(value) ?? 'null';
}

/** Replaces numbers inside the tree just parsed. An array's elements belong to its key: `snapshot-ids` holds longs. */
function withNumbers(value: unknown, key: string): unknown {
  if (isLosslessNumber(value)) return numberOf(value.toString(), key);
  if (Array.isArray(value)) {
    for (const [at, element] of value.entries()) value[at] = withNumbers(element, key);
  } else if (typeof value === 'object' && value !== null) {
    const record = value as Record<string, unknown>;
    for (const name of Object.keys(record)) {
      if (typeof record[name] === 'object') record[name] = withNumbers(record[name], name);
    }
  }
  return value;
}

function numberOf(text: string, key: string): number | bigint {
  if (LONG_KEYS.has(key)) {
    if (!/^-?\d+$/.test(text)) throw new SyntaxError(`${key}: got ${text}; expected an integer`);
    return BigInt(text);
  }
  const value = Number(text);
  // A field this version does not know may hold a long: losing digits of it would damage the table.
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}
