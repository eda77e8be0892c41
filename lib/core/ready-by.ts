/** By when the data of a day are to be complete: so many days later, at a time of day of the pipeline's zone. */
export type ReadyBy = { readonly days: number; readonly minutes: number };

const MOST_DAYS = 7;

/** Reads `D+1 01:00`; undefined for other text, for the day itself, which has not ended, and for more than 7 days. */
export function parseReadyBy(text: string): ReadyBy | undefined {
  const [, days, hours, minutes] = /^D\+(\d) ([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  const after = Number(days);
  if (!(after >= 1 && after <= MOST_DAYS)) return undefined;
  return { days: after, minutes: 60 * Number(hours) + Number(minutes) };
}

/** As a pipeline file says it. */
export function formatReadyBy({ days, minutes }: ReadyBy): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `D+${days} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
