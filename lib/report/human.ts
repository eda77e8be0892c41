/** Numbers as a person reads them. Every function is for text output only; JSON output keeps plain numbers. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in powers of 1000: `999 B`, `1.5 kB`, `12 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would print as 1000 of the smaller unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** Milliseconds as `850 ms`, `1.2 s`, `3 min 05 s` or `2 h 07 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** A time to the second, in UTC: `2026-03-31T11:00:00Z`. A number is in ms since the epoch. */
export function formatTime(time: string | number): string {
  const text = typeof time === 'number' ? new Date(time).toISOString() : time;
  return text.replace(/\.\d+Z$/, 'Z');
}

/** A count with thousands separated: `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return count.toLocaleString('en-US');
}

/** `1 row`, `2 rows`. */
export function formatQuantity(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`;
}

/** US dollars with two digits that say something: `$12.34`, `$0.53`, `$0.0041`. */
export function formatUsd(usd: number): string {
  const digits = usd > 0 && usd < 1 ? Math.max(2, 1 - Math.floor(Math.log10(usd))) : 2;
  return `$${usd.toFixed(digits)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
