import type { ColumnType } from '../core/types.ts';

/**
 * Whether values that differ have different hashes. Zeros of both signs are equal to the engine; it hashes a list or a
 * struct by its leaves, so that null is as an empty one, and both halves of a wide decimal alike, so that 0 is as -1.
 */
export function isHashedApart(type: ColumnType): boolean {
  switch (type.kind) {
    case 'float':
    case 'double':
    case 'list':
    case 'struct':
      return false;
    case 'decimal':
      return type.precision <= DIGITS_OF_BIGINT;
    default:
      return true;
  }
}

/** Decimals with more digits are of 128 bits. */
const DIGITS_OF_BIGINT = 18;
