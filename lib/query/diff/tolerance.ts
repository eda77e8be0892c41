import { InvalidInput } from '../../core/errors.ts';
import type { ColumnType } from '../../core/types.ts';
import { isNumeric } from '../../sql/diff/totals.ts';

/** By column: what values may differ by, as decimal text. */
export type Tolerances = Readonly<Record<string, string>>;

const AMOUNT = /^\d{1,18}(\.\d{1,38})?$/;

/** Reads `amount=0.01`. Throws InvalidInput. */
export function parseTolerance(text: string): readonly [column: string, amount: string] {
  const at = text.lastIndexOf('=');
  const [column, amount] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && AMOUNT.test(amount)) return [column, amount];
  throw new InvalidInput(
    `--tolerance: got ${JSON.stringify(text)}; expected a column and an amount of 0 or more, such as amount=0.01`,
  );
}

/**
 * A tolerance as a number of a column's type: values with two digits behind the point differ by more than 0.015 where they
 * differ by more than 0.01. Throws InvalidInput for a column that holds no numbers.
 */
export function toleranceOf(name: string, type: ColumnType, amount: string): string {
  if (!isNumeric(type)) {
    throw new InvalidInput(
      `--tolerance: got the column ${name}, which holds no numbers (${type.kind}); expected one that does`,
    );
  }
  if (type.kind === 'float' || type.kind === 'double') return amount;
  const scale = type.kind === 'decimal' ? type.scale : 0;
  const [whole = '0', fraction = ''] = amount.split('.');
  const most = 38 - scale;
  const before = whole.replace(/^0+(?=\d)/, '');
  if (before.length > most && before !== '0')
    return `${'9'.repeat(most) || '0'}${scale === 0 ? '' : `.${'9'.repeat(scale)}`}`;
  return scale === 0 ? before : `${before}.${fraction.slice(0, scale).padEnd(scale, '0')}`;
}
