import { z } from 'zod';
import { parseDays, parseSpan } from '../core/durations.ts';
import { LEAST_AGE_MS, type MaintenanceRules, type OwnRules } from '../core/maintenance-rules.ts';
import { isSchedule, SCHEDULE_EXPECTED } from '../core/schedule/aws-expression.ts';
import type { Notes } from './notes.ts';
import { type Field, readFields, span } from './shape.ts';

export const MAINTENANCE_EXPECTED =
  "false, or { schedule: 'rate(1 day)', everyRuns: 20, compactAfter: 16, compactDeleted: 10, manifestsAfter: 100, expire: { ... }, vacuum: { ... } }";

const DAY_MS = 86_400_000;

const count = { schema: z.number().int().positive(), expected: 'a whole number, 1 or more' } as const;
const byName = z.record(z.string(), z.unknown());
const age = span(atLeastAWeek, "an age of 168h or more, such as '168h' or '30d'");
const EXPIRE_EXPECTED = "{ after: 20, olderThan: '168h', keep: 5 }";
const VACUUM_EXPECTED = "{ every: '24h', keepRuns: '30d' }";

const MAINTENANCE = {
  schedule: { schema: z.string().refine(isSchedule), expected: SCHEDULE_EXPECTED },
  everyRuns: count,
  compactAfter: count,
  compactDeleted: { schema: z.number().int().min(1).max(100), expected: 'a whole number from 1 to 100, in percent' },
  manifestsAfter: count,
  expire: { schema: byName, expected: EXPIRE_EXPECTED },
  vacuum: { schema: byName, expected: VACUUM_EXPECTED },
} as const satisfies Record<string, Field>;

const EXPIRE = { after: count, olderThan: age, keep: count } as const satisfies Record<string, Field>;

const VACUUM = {
  every: span(parseSpan, "a span such as '6h' or '1d'"),
  keepRuns: span(
    (text) => atLeastAWeek(text) ?? weekOf(parseDays(text)),
    "days or years, 7 days or more: '30d' or '1y'",
  ),
} as const satisfies Record<string, Field>;

/** Reads when tables are looked after by themselves. Undefined: by the defaults. */
export function readMaintenance(value: unknown, notes: Notes): OwnRules | undefined {
  if (value === undefined) return undefined;
  if (value === false) return null;
  const read = readFields(MAINTENANCE, value, 'maintenance', MAINTENANCE_EXPECTED, notes) ?? {};
  const expire = readFields(EXPIRE, read.expire ?? {}, 'maintenance.expire', EXPIRE_EXPECTED, notes) ?? {};
  const vacuum = readFields(VACUUM, read.vacuum ?? {}, 'maintenance.vacuum', VACUUM_EXPECTED, notes) ?? {};
  const rules: { readonly [name in keyof MaintenanceRules]: number | undefined } = {
    everyRuns: read.everyRuns,
    compactAfter: read.compactAfter,
    compactDeleted: read.compactDeleted,
    manifestsAfter: read.manifestsAfter,
    expireAfter: expire.after,
    olderThanMs: expire.olderThan,
    keep: expire.keep,
    vacuumEveryMs: vacuum.every,
    keepRunsMs: vacuum.keepRuns,
  };
  const given = Object.entries(rules).filter((entry) => entry[1] !== undefined);
  return { ...Object.fromEntries(given), ...(read.schedule === undefined ? {} : { schedule: read.schedule }) };
}

function atLeastAWeek(text: string): number | undefined {
  const age = parseSpan(text);
  return age === undefined || age < LEAST_AGE_MS ? undefined : age;
}

function weekOf(days: number | undefined): number | undefined {
  return days === undefined || days * DAY_MS < LEAST_AGE_MS ? undefined : days * DAY_MS;
}
