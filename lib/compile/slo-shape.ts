import { z } from 'zod';
import type { Slo } from '../core/compute.ts';
import { parseSpan } from '../core/durations.ts';
import { parseReadyBy, type ReadyBy } from '../core/ready-by.ts';
import type { Notes } from './notes.ts';
import { type Field, isRecord, readFields, span } from './shape.ts';

export const SLO_EXPECTED = "{ freshness: '26h', quarantineRate: 5 }";

/** The longest time that CloudWatch looks back over hourly periods. */
const LONGEST_FRESHNESS_MS = 7 * 86_400_000;

const SLO = {
  freshness: span(freshnessOf, "a span from 1 hour to 7 days, such as '26h' or '2d'"),
  quarantineRate: { schema: z.number().min(0).max(100), expected: 'a percentage of the rows read, from 0 to 100' },
  p95: span(parseSpan, "a span such as '90s', '40m' or '2h'"),
  successRate: { schema: z.number().gt(0).max(100), expected: 'a percentage of the runs, above 0 and up to 100' },
  mttr: span(parseSpan, "a span such as '60m' or '4h'"),
  ready: {
    schema: z.string().transform(readyOf),
    expected: "a day from D+1 to D+7 and a time, such as 'D+1 01:00'",
  },
  objective: { schema: z.number().gt(0).max(100), expected: 'a percentage, above 0 and up to 100, such as 99.5' },
} as const satisfies Record<string, Field>;

/** What an objective is a percentage of. */
const WITH_OBJECTIVE = ['freshness', 'ready', 'quarantineRate'] as const;

/** Reads what is promised of the pipeline. */
export function readSlo(value: unknown, notes: Notes): Slo {
  const read = (value === undefined ? {} : readFields(SLO, value, 'slo', SLO_EXPECTED, notes)) ?? {};
  const { freshness, quarantineRate, p95, mttr, ...same } = read;
  const given = isRecord(value) ? value : {};
  if (read.objective !== undefined && WITH_OBJECTIVE.every((name) => given[name] === undefined))
    notes.add('slo.objective', `${read.objective}`, `${WITH_OBJECTIVE.join(', ')} or several beside it; leave it out`);
  return {
    freshnessMs: freshness ?? null,
    quarantineRate: quarantineRate ?? null,
    ...(p95 === undefined ? {} : { p95Ms: p95 }),
    ...(mttr === undefined ? {} : { mttrMs: mttr }),
    ...same,
  };
}

function freshnessOf(text: string): number | undefined {
  const ms = parseSpan(text) ?? 0;
  return ms >= 3_600_000 && ms <= LONGEST_FRESHNESS_MS ? ms : undefined;
}

function readyOf(text: string, context: z.RefinementCtx): ReadyBy {
  const by = parseReadyBy(text);
  if (by === undefined) context.addIssue({ code: 'custom', message: 'ready' });
  return by ?? z.NEVER;
}
