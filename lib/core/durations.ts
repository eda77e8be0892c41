const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAYS_PER_YEAR = 365.25;

/** Milliseconds of a span such as `30s`, `15m`, `1h` or `2d`; `undefined` for other text and for 0. */
export function parseSpan(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const milliseconds = Number(count) * (UNIT_MS[unit ?? ''] ?? 0);
  return milliseconds > 0 ? milliseconds : undefined;
}

/** Whole days of `90d` or `7y`, a year being 365.25 days, rounded up; `undefined` for other text and for 0. */
export function parseDays(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([dy])$/.exec(text) ?? [];
  const days = Math.ceil(Number(count) * (unit === 'y' ? DAYS_PER_YEAR : 1));
  return days > 0 ? days : undefined;
}
