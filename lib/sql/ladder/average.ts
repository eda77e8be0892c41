import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import { quoteName } from '../quote.ts';

/**
 * DuckDB makes an average of the exact sum and the count: it divides them with as many bits as `long double` has where it
 * runs (53, 64 or 113) and rounds the quotient to a DOUBLE. The same is done here to sums of sums, in whole numbers.
 */
export type DivisionBits = 53 | 64 | 113;

/**
 * Two averages that tell how many bits there are. Divided with 64 bits, the first quotient lies in the middle between two
 * numbers of 53, which it does not quite; the sum of the second has more bits than 53.
 */
export function probeDivision(): Statement {
  const wide = sql`SELECT avg(x) FROM (VALUES (CAST(9007199254740995 AS BIGINT)), (0), (0)) t(x)`;
  const decimal = sql`SELECT avg(x) FROM (VALUES (CAST(900000085.327234 AS DECIMAL(18,6))), (0), (0)) t(x)`;
  return {
    name: 'division',
    text: sql`SELECT (${decimal}) = CAST('300000028.4424113' AS DOUBLE) AS is_64, (${wide}) = CAST('3002399751580332' AS DOUBLE) AS is_53`,
  };
}

/** As `probeDivision` answers. */
export function bitsOf(row: { readonly [name: string]: unknown } | undefined): DivisionBits {
  if (row?.['is_64'] === true) return 64;
  return row?.['is_53'] === true ? 53 : 113;
}

/** Digits behind the point of what is averaged, so that what is divided here has room in a HUGEINT. */
export const MOST_SCALE = 9;

/** Of an average: the columns with its sum, a HUGEINT, and with what it is divided by; `narrow`: by DOUBLE wherever it runs. */
export type Dividend = { readonly name: string; readonly sum: Sql; readonly divisor: Sql; readonly narrow: boolean };

/** A relation of groups with the columns that averages are made of beside its own. */
export function renderDividends(averages: readonly Dividend[]): readonly Sql[] {
  return averages.flatMap(({ name, sum, divisor }) => {
    const most = sql`CASE WHEN ${divisor} >= ${MOST_DIVISOR} THEN error('an average over more rows than can be divided exactly') ELSE ${divisor} END`;
    return [sql`${sum} AS ${column(name, 's')}`, sql`${most} AS ${column(name, 'd')}`];
  });
}

const MOST_DIVISOR = sql`CAST(4611686018427387904 AS HUGEINT)`;

/**
 * The same relation with the averages. What stands in several places of the next step has a name in this one: DuckDB binds
 * an expression as often as it stands somewhere.
 */
export function renderAverages(from: Sql, averages: readonly Dividend[], bits: DivisionBits): Sql {
  if (averages.length === 0) return from;
  const exact = bits === 53 ? [] : averages.filter(({ narrow }) => !narrow);
  const plain = averages.filter((one) => !exact.includes(one));
  const steps = [wholeStep(bits), nearStep, shiftStep(bits === 64 ? 64 : 53), dividedStep];
  const shifted = exact.length === 0 ? from : steps.reduce((relation, step) => addColumns(relation, exact, step), from);
  const quotients = [
    ...exact.map(({ name }) => renderQuotient(name)),
    ...plain.map(
      ({ name }) =>
        sql`CAST(${column(name, 's')} AS DOUBLE) / CAST(${column(name, 'd')} AS DOUBLE) AS ${quoteName(name)}`,
    ),
  ];
  return sql`(SELECT *, ${join(quotients)} FROM ${shifted})`;
}

type Step = (of: (part: string) => Sql) => readonly (readonly [part: string, expression: Sql])[];

function addColumns(from: Sql, averages: readonly Dividend[], step: Step): Sql {
  const added = averages.flatMap(({ name }) =>
    step((part) => column(name, part)).map(([part, expression]) => sql`${expression} AS ${column(name, part)}`),
  );
  return sql`(SELECT *, ${join(added)} FROM ${from})`;
}

function column(name: string, part: string): Sql {
  return quoteName(`${name}_${part}`);
}

const bitLength = (value: Sql): Sql => sql`CAST(length(bin(${value})) AS INTEGER)`;

/** What is halfway goes to the even one of its neighbours. */
function nearest(n: Sql, m: Sql): Sql {
  return sql`(${n} // ${m} + CASE WHEN 2 * (${n} % ${m}) > ${m} OR (2 * (${n} % ${m}) = ${m} AND (${n} // ${m}) % 2 = 1) THEN 1 ELSE 0 END)`;
}

/** `a`: the sum without its sign, with as many bits as a number of 64 has. */
function wholeStep(bits: DivisionBits): Step {
  return (of) => {
    const whole = sql`abs(${of('s')})`;
    if (bits !== 64) return [['a', whole]];
    const more = sql`${bitLength(whole)} - 64`;
    const unit = sql`(CAST(1 AS HUGEINT) << (${more}))`;
    return [['a', sql`CASE WHEN ${more} <= 0 THEN ${whole} ELSE ${nearest(whole, unit)} << (${more}) END`]];
  };
}

/** `e`: a power of two that is the quotient's, or twice that. */
const nearStep: Step = (of) => [['e', sql`${bitLength(of('a'))} - ${bitLength(of('d'))}`]];

const shifted = (value: Sql, by: Sql): Sql => sql`CASE WHEN ${by} > 0 THEN ${value} << ${by} ELSE ${value} END`;

/** `k`: by how many bits the quotient is moved to have all of its bits before the point. */
function shiftStep(bits: number): Step {
  return (of) => {
    const [a, d, e] = [of('a'), of('d'), of('e')];
    const isPower = sql`(${shifted(a, sql`(-${e})`)}) >= (${shifted(d, e)})`;
    return [['k', sql`${bits - 1} - (CASE WHEN ${isPower} THEN ${e} ELSE ${e} - 1 END)`]];
  };
}

const dividedStep: Step = (of) => [
  ['n', shifted(of('a'), of('k'))],
  ['m', shifted(of('d'), sql`(-${of('k')})`)],
];

function renderQuotient(name: string): Sql {
  const of = (part: string): Sql => column(name, part);
  const quotient = sql`CAST(${nearest(of('n'), of('m'))} AS DOUBLE) * pow(2.0, -${of('k')})`;
  return sql`sign(${of('s')}) * ${quotient} AS ${quoteName(name)}`;
}
