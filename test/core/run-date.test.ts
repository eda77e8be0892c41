import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atGrain, dayIn, isDay, isTimezone, startOfDay, startOfDayBefore } from '../../lib/core/run-date.ts';

describe('days and zones', () => {
  const days: readonly (readonly [zone: string, at: string, day: string])[] = [
    ['UTC', '2026-01-31T23:59:59.999Z', '2026-01-31'],
    ['Europe/Berlin', '2026-01-31T22:59:59Z', '2026-01-31'],
    ['Europe/Berlin', '2026-01-31T23:00:00Z', '2026-02-01'],
    ['America/New_York', '2026-02-01T04:59:59Z', '2026-01-31'],
    ['Pacific/Kiritimati', '2026-01-31T10:00:00Z', '2026-02-01'],
    ['Asia/Kolkata', '2026-01-31T18:30:00Z', '2026-02-01'],
  ];
  for (const [zone, at, day] of days) {
    test(`${at} is on ${day} in ${zone}`, () => assert.equal(dayIn(zone, new Date(at)), day));
  }

  const starts: readonly (readonly [zone: string, day: string, at: string])[] = [
    ['UTC', '2026-02-01', '2026-02-01T00:00:00.000Z'],
    ['Europe/Berlin', '2026-02-01', '2026-01-31T23:00:00.000Z'],
    // The day after the clocks went forward, and the one after they went back.
    ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-02-01', '2026-01-31T10:00:00.000Z'],
    // There clocks went forward at midnight: the day begins at 01:00.
    ['Asia/Beirut', '2021-03-28', '2021-03-27T22:00:00.000Z'],
    // A day that was skipped, to be on the other side of the date line.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z'],
  ];
  for (const [zone, day, at] of starts) {
    test(`${day} begins at ${at} in ${zone}`, () => assert.equal(startOfDay(zone, day).toISOString(), at));
  }

  test('days are counted back in the zone', () => {
    assert.equal(startOfDayBefore('Europe/Berlin', '2026-04-01', 3).toISOString(), '2026-03-28T23:00:00.000Z');
    assert.equal(startOfDayBefore('UTC', '2026-03-01', 1).toISOString(), '2026-02-28T00:00:00.000Z');
    assert.equal(startOfDayBefore('UTC', '2026-03-01', 1_000_000).toISOString(), '1000-01-01T00:00:00.000Z');
  });

  test('zones have IANA names', () => {
    const known = ['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia', '+01:00', 'Berlin', '', 'Europe/Berlim'].filter(
      isTimezone,
    );
    assert.deepEqual(known, ['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia']);
  });

  test('days are days that there are', () => {
    const texts = ['2024-02-29', '2026-02-29', '2026-1-1', '2026-01-31T00:00', 'today', '2026-13-01'];
    assert.deepEqual(texts.filter(isDay), ['2024-02-29']);
  });

  test('a grain is what of a day decides', () => {
    assert.deepEqual(
      (['day', 'month', 'year'] as const).map((grain) => atGrain('2026-02-01', grain)),
      ['2026-02-01', '2026-02', '2026'],
    );
  });
});
