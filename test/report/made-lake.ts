import type { LineageNode, ModelFigures, PipelineFacts } from '../../lib/core/page-facts.ts';
import type { KeptProfile } from '../../lib/core/profile.ts';
import type { RunFact } from '../../lib/core/run-fact.ts';
import type { TestFact } from '../../lib/core/test-fact.ts';
import type { PageFacts } from '../../lib/report/page/facts.ts';

export const NOW = Date.parse('2026-03-31T12:00Z');
const MINUTE = 60_000;
const DAYS = 30;

/** Text as an attacker would write it, wherever text can come from data. */
export const HOSTILE = `</style></title><script>document.title='taken'</script><img src=x onerror="document.title='taken'">'"&\u202Ex`;

export type Size = { readonly pipelines: number; readonly models: number; readonly runs: number };

/** A lake with so many pipelines, and models and runs in all of them together; the same for the same size. */
export function makeLake({ pipelines, models, runs }: Size): PageFacts {
  const each = Array.from({ length: pipelines }, (_, at) => {
    return makePipeline(`shop_${at}`, Math.ceil(models / pipelines), Math.ceil(runs / pipelines), at === 0);
  });
  return {
    lake: 'Strata',
    now: NOW,
    days: DAYS,
    pipelines: each,
    compared: { before: 'base-', after: 'tuned-' },
    glue: { region: 'eu-central-1', checked: '2026-11-01', dpuHour: 0.44, dpus: 2, seconds: 60 },
  };
}

function makePipeline(name: string, models: number, count: number, wrong: boolean): PipelineFacts {
  const runs = Array.from({ length: count }, (_, at) => runOf(at, count, wrong));
  const nodes = makeNodes(name, models, wrong);
  const made = nodes.filter(({ level }) => level > 0);
  const figures = made.map(({ kind, name: table }, at) =>
    figuresOf(`${kind}.${table.split('.')[1]}`, 1_000 * (at + 1)),
  );
  return {
    status: {
      pipeline: name,
      owner: wrong ? HOSTILE : 'shop@example.com',
      tier: 1,
      timezone: 'UTC',
      slo: {
        freshnessMs: 60 * MINUTE,
        quarantineRate: 5,
        successRate: 99,
        p95Ms: 40 * MINUTE,
        mttrMs: 60 * MINUTE,
        ready: { days: 1, minutes: 60 },
      },
      runs,
      breaker: wrong ? 'open' : 'closed',
      quarantine: ['TYPE_ERROR', wrong ? HOSTILE : 'RANGE_ERROR'].map((code) => ({
        code,
        quarantined: 12,
        condemned: 1,
        last_day: 3,
      })),
      behind: wrong ? [{ table: `${name}_gold.m1`, why: HOSTILE }] : [],
      unfinished: null,
      suspended_files: 0,
      maintenance: [{ operation: 'compact', table: `${name}_silver.m0`, why: '20 small files since the last time' }],
    },
    description: wrong ? HOSTILE : 'Sales of a shop.',
    nodes,
    profile: profileOf(name),
    tests: made.flatMap(({ name: table }, at) => testsOf(table, at, wrong)),
    models: figures,
    before: figures,
    after: figures.map((one) => ({ ...one, mean: (one.mean ?? 0) / 2, cost_usd: (one.cost_usd ?? 0) / 4 })),
    rejected: daysOf().flatMap((day, at) => [
      { day, code: 'TYPE_ERROR', rows: at },
      { day, code: wrong ? HOSTILE : 'RANGE_ERROR', rows: 3 },
    ]),
    quality: made.flatMap(({ name: table }) => [
      { table, column: 'id', rows: 1_000, nulls: 0, key_ok: !wrong },
      { table, column: wrong ? HOSTILE : 'note', rows: 1_000, nulls: 250, key_ok: null },
    ]),
    nulls: daysOf().map((day, at) => ({ day, column: wrong ? HOSTILE : `${name}_silver.m0.note`, percent: at })),
  };
}

/** One of fifty fails; those of the first half are called base-, others tuned-. */
function runOf(at: number, count: number, wrong: boolean): RunFact {
  const step = (DAYS * 24 * 60 * MINUTE) / count;
  const finished = NOW - Math.round((count - 1 - at) * step);
  const duration_ms = MINUTE * (1 + (at % 7));
  const failed = at % 50 === 10;
  return {
    run_id: `${at < count / 2 ? 'base' : 'tuned'}-${at}`,
    succeeded: !failed,
    started: finished - duration_ms,
    finished,
    duration_ms,
    error: failed ? `AuditFailed: ${wrong ? HOSTILE : 'no'}` : null,
    read: 1_000,
    rejected: at % 100,
    cost_usd: 0.002,
  };
}

/** A third silver, the others gold, each made of two before it. */
function makeNodes(name: string, models: number, wrong: boolean): readonly LineageNode[] {
  const silver = Math.max(1, Math.floor(models / 3));
  const source: LineageNode = {
    ...{
      name: `${name}.orders`,
      kind: 'source',
      level: 0,
      reads: [],
      description: null,
      rows: null,
      updated: null,
      columns: [{ name: 'id', type: 'bigint', description: 'The order.', from: [] }],
    },
  };
  const tables = Array.from({ length: models }, (_, at): LineageNode => {
    const gold = at >= silver;
    const reads = gold ? [at - silver, Math.floor(at / 2)].map((one) => tableOf(name, one, silver)) : [source.name];
    return {
      name: tableOf(name, at, silver),
      kind: gold ? 'gold' : 'silver',
      level: gold ? 2 + Math.floor((4 * (at - silver)) / models) : 1,
      reads: [...new Set(reads)],
      description: wrong ? HOSTILE : null,
      rows: 1_000 * at,
      updated: '2026-03-31T11:00:00.000Z',
      columns: [
        { name: 'id', type: 'bigint', description: 'The order.', from: reads.map((read) => `${read}.id`) },
        { name: wrong ? HOSTILE : 'note', type: 'string', description: wrong ? HOSTILE : null, from: [] },
      ],
    };
  });
  return [source, ...tables];
}

function tableOf(pipeline: string, at: number, silver: number): string {
  return `${pipeline}_${at >= silver ? 'gold' : 'silver'}.m${at}`;
}

function profileOf(name: string): KeptProfile {
  const facts = { rows_scanned: 2_000, bytes_read: 1_000, bytes_written: 0, memory_bytes: 5e6, spilled_bytes: 0 };
  const operators = [
    { depth: 0, operator: 'HASH_JOIN', rows: 10, bytes: 80, ms: 4 },
    { depth: 1, operator: 'READ_PARQUET', rows: 1_000, bytes: 8_000, ms: 1 },
  ];
  return {
    run_id: 'tuned-9',
    at: '2026-03-31T11:00:00.000Z',
    statements: [
      { unit: 2, name: `write ${name}_silver.m0`, ms: 1_500, ...facts, operators },
      { unit: 1, name: 'count', ms: 2, ...facts, operators: [] },
    ],
  };
}

/** One that holds, one that does not, and one of which nothing is known. */
function testsOf(table: string, at: number, wrong: boolean): readonly TestFact[] {
  const common = { table, kind: 'row', policy: 'warn', run_id: 'tuned-9', at: '2026-03-31T11:00:00.000Z' } as const;
  return [
    { ...common, name: 'positive', expects: 'id > 0', outcome: 'held', said: null },
    { ...common, name: 'short', expects: wrong ? HOSTILE : 'len(note) < 9', outcome: 'broken', said: 'for 3 rows' },
    { ...common, name: 'new', expects: `id < ${at}`, outcome: 'unknown', said: null, run_id: null, at: null },
  ];
}

function figuresOf(model: string, mean: number): ModelFigures {
  return { model, runs: 40, failed: 1, mean, p50: mean * 0.9, p95: mean * 2, rows_out: 1_000, cost_usd: 0.04 };
}

function daysOf(): readonly string[] {
  return Array.from({ length: DAYS }, (_, at) =>
    new Date(NOW - (DAYS - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
}
