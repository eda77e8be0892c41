import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidInput } from '../../../lib/core/errors.ts';
import {
  type Branch,
  branchOf,
  firingOf,
  firstAfter,
  grainOf,
  lastUpTo,
  periodOf,
} from '../../../lib/core/schedule/branch.ts';
import { parseCron } from '../../../lib/core/schedule/cron.ts';

const branch = (cron: string, zone = 'UTC'): Branch => ({ name: 'b', cron, zone, catchup: 'last' });

/** So many firings from a moment on, to the minute. */
function firings(cron: string, from: string, n: number, zone?: string): string[] {
  const one = branch(cron, zone);
  const found: string[] = [];
  let at: Date | undefined = new Date(from);
  while (found.length < n) {
    at = at && firstAfter(one, at);
    found.push(at === undefined ? 'never' : at.toISOString().slice(0, 16));
  }
  return found;
}

const NEW_YEAR = '2024-01-01T00:00:00Z';

/** 2024: a leap year that begins on a Monday. */
const ODD: readonly (readonly [what: string, cron: string, firings: readonly string[]])[] = [
  ['29 February', '0 7 29 2 *', ['2024-02-29T07:00', '2028-02-29T07:00']],
  ['the last day', '0 7 L * *', ['2024-01-31T07:00', '2024-02-29T07:00', '2024-03-31T07:00']],
  ['the same of AWS', 'cron(0 7 L * ? *)', ['2024-01-31T07:00', '2024-02-29T07:00']],
  ['the last weekday of a month', 'cron(0 7 LW * ? *)', ['2024-01-31T07:00', '2024-02-29T07:00', '2024-03-29T07:00']],
  ['the weekday near the 15th', '0 7 15W 6,9 *', ['2024-06-14T07:00', '2024-09-16T07:00']],
  ['the weekday near the 1st, in its month', 'cron(0 7 1W 6 ? *)', ['2024-06-03T07:00']],
  ['the second Friday', '0 7 * * 5#2', ['2024-01-12T07:00', '2024-02-09T07:00']],
  ['the same of AWS, whose Friday is 6', 'cron(0 7 ? * 6#2 *)', ['2024-01-12T07:00', '2024-02-09T07:00']],
  ['by name', 'cron(0 7 ? * FRI#2 *)', ['2024-01-12T07:00']],
  ['the last Friday', '0 7 * * FRIL', ['2024-01-26T07:00', '2024-02-23T07:00']],
  ['the same of AWS', 'cron(0 7 ? * 6L *)', ['2024-01-26T07:00', '2024-02-23T07:00']],
  ['the last day of the week of AWS', 'cron(0 7 ? * L *)', ['2024-01-06T07:00', '2024-01-13T07:00']],
  ['Sunday is 0 and 7', '0 7 * * 7', ['2024-01-07T07:00']],
  ['and 1 of AWS', 'cron(0 7 ? * 1 *)', ['2024-01-07T07:00']],
  ['either, where both days are given', '0 7 13 * 5', ['2024-01-05T07:00', '2024-01-12T07:00', '2024-01-13T07:00']],
  ['steps from a value, of AWS', '0/30 7 * * ? *', ['2024-01-01T07:00', '2024-01-01T07:30', '2024-01-02T07:00']],
  ['years of AWS', 'cron(0 7 1 1 ? 2025-2026)', ['2025-01-01T07:00', '2026-01-01T07:00', 'never']],
];

const BERLIN = 'Europe/Berlin';

/** At 02:00 on 31 March 2024 it is 03:00 in Berlin, and at 03:00 on 27 October 02:00 again. */
const CLOCK_CHANGES: readonly (readonly [what: string, cron: string, from: string, firings: readonly string[]])[] = [
  [
    'a time that is skipped is the first after it',
    '30 2 * * *',
    '2024-03-30T12:00Z',
    ['2024-03-31T01:00', '2024-04-01T00:30'],
  ],
  ['a time that comes twice is the first', '30 2 * * *', '2024-10-26T12:00Z', ['2024-10-27T00:30', '2024-10-28T01:30']],
  [
    'every hour, all that there are',
    '30 * * * *',
    '2024-10-27T00:00Z',
    ['2024-10-27T00:30', '2024-10-27T01:30', '2024-10-27T02:30'],
  ],
  ['the same of AWS', 'cron(30 2 * * ? *)', '2024-03-30T12:00Z', ['2024-03-31T01:00', '2024-04-01T00:30']],
];

const NONE = [
  '',
  '* * * *',
  '0 7 30 2 *',
  '60 7 * * *',
  '0 7 * * 8',
  '@daily',
  '0 7 ? * *',
  'cron(0 7 * * * *)',
  'rate(1 day)',
  'cron(0 7 ? * SAT-MON *)',
  '0 0 7 * * ? *',
];

describe('cron', () => {
  for (const [what, cron, expected] of ODD) {
    test(`${what}: ${cron}`, () => assert.deepEqual(firings(cron, NEW_YEAR, expected.length), expected));
  }

  for (const [what, cron, from, expected] of CLOCK_CHANGES) {
    test(`${what}, in Berlin: ${cron}`, () => {
      assert.deepEqual(firings(cron, from, expected.length, BERLIN), expected);
      const until = new Date(`${expected.at(-1)}Z`);
      const back = lastUpTo(branch(cron, BERLIN), until, expected.length).map((one) => one.toISOString().slice(0, 16));
      assert.deepEqual(back, expected);
    });
  }

  for (const cron of NONE) {
    test(`is no expression, or never fires: ${JSON.stringify(cron)}`, () => assert.equal(parseCron(cron), undefined));
  }

  test('a zone is where it is read', () => {
    assert.deepEqual(firings('0 7 1 * *', NEW_YEAR, 2, 'America/New_York'), ['2024-01-01T12:00', '2024-02-01T12:00']);
  });

  test('the last firings end with the moment itself', () => {
    const daily = branch('0 7 * * *');
    const at = (text: string, n?: number) => lastUpTo(daily, new Date(text), n).map((one) => one.toISOString());
    assert.deepEqual(at('2024-05-02T07:00:00Z', 2), ['2024-05-01T07:00:00.000Z', '2024-05-02T07:00:00.000Z']);
    assert.deepEqual(at('2024-05-02T06:59:59.999Z'), ['2024-05-01T07:00:00.000Z']);
    assert.deepEqual(lastUpTo(branch('0 7 1 1 ? 2025'), new Date(NEW_YEAR)), []);
  });
});

const PERIODS: readonly (readonly [cron: string, grain: string, period: string, begins: string])[] = [
  ['0 7 1 1 *', 'year', '2024', '2024-01-01T07:00'],
  ['cron(0 7 ? JAN MON#1 *)', 'year', '2024', '2024-01-01T07:00'],
  ['0 7 1 * *', 'month', '2024-10', '2024-10-01T07:00'],
  ['0 7 LW * *', 'month', '2024-03', '2024-03-29T07:00'],
  ['0 7 31 * *', 'month', '2024-10', '2024-10-31T07:00'],
  ['0 7 * * 5L', 'month', '2024-10', '2024-10-25T07:00'],
  ['0 7 1 1,7 *', 'month', '2024-07', '2024-07-01T07:00'],
  ['0 7 1,15 * *', 'day', '2024-10-15', '2024-10-15T07:00'],
  ['0 7 1 * 5', 'day', '2024-10-04', '2024-10-04T07:00'],
  ['0 7 ? * L *', 'day', '2024-10-05', '2024-10-05T07:00'],
  ['0 7 * * *', 'day', '2024-10-31', '2024-10-31T07:00'],
  ['0 7,19 * * *', 'minute', '2024-10-31T19:00Z', '2024-10-31T19:00'],
  ['*/15 7 1 1 *', 'minute', '2024-01-01T07:45Z', '2024-01-01T07:45'],
];

const WRONG: readonly (readonly [cron: string, period: string])[] = [
  ['0 7 31 * *', '2024-11'],
  ['0 7 1 * *', '2024-10-01'],
  ['0 7 1 * *', '2024-13'],
  ['0 7 * * *', '2024-02-30'],
  ['0 7 1 1 *', '24'],
  ['0 7,19 * * *', '2024-10-31T18:00Z'],
  ['0 7,19 * * *', '2024-10-31'],
];

describe('periods', () => {
  for (const [cron, grain, period, begins] of PERIODS) {
    test(`of ${cron}: ${period}`, () => {
      const one = branch(cron);
      assert.equal(grainOf(one), grain);
      assert.equal(firingOf(one, period).toISOString().slice(0, 16), begins);
      assert.equal(periodOf(one, firingOf(one, period)), period);
    });
  }

  for (const [cron, period] of WRONG) {
    test(`none of ${cron}: ${period}`, () => {
      assert.throws(() => firingOf(branch(cron), period), InvalidInput);
    });
  }

  test('are of days of the zone, and of minutes of UTC, so that an hour that comes twice has two', () => {
    const nightly = branch('30 0 1 * *', BERLIN);
    assert.equal(periodOf(nightly, new Date('2024-10-31T23:30Z')), '2024-11');
    assert.equal(firingOf(nightly, '2024-11').toISOString(), '2024-10-31T23:30:00.000Z');
    const hourly = branch('30 * * * *', BERLIN);
    const twice = ['2024-10-27T00:30Z', '2024-10-27T01:30Z'];
    assert.deepEqual(
      twice.map((period) => periodOf(hourly, firingOf(hourly, period))),
      twice,
    );
  });

  test('a branch that there is not is named beside those that there are', () => {
    const pipeline = { name: 'hr', schedules: [branch('0 7 * * *')] };
    assert.throws(() => branchOf(pipeline, 'a'), /no branch "a" in hr: expected one of b; did you mean "b"\?/);
    assert.throws(() => branchOf({ name: 'hr' }, 'a'), /expected none: it has no schedules/);
    assert.equal(branchOf(pipeline, 'b').name, 'b');
  });
});
