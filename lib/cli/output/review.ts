import type { Row } from '../../ports.ts';
import type { Review, ReviewedTable } from '../../query/gate/review.ts';
import type { Context } from '../context.ts';
import { tableLine } from './diff-pipeline.ts';
import { formatDuration, formatQuantity } from './human.ts';
import { renderParities } from './parities.ts';
import { renderTable } from './table.ts';

/** A run that waits, for whoever decides about it. */
export function renderReview(review: Review, { layout, hint }: Pick<Context, 'layout' | 'hint'>): string {
  const { run_id, pipeline, decided } = review;
  const accounts = Object.entries(review.accounting).map(([table, counts]): Row => ({ table, ...counts }));
  const sums = review.tables.flatMap(sumsOf);
  return [
    `run ${run_id} of ${pipeline}  ${decided === null ? 'AWAITING_APPROVAL' : decided.decision.toUpperCase()}`,
    '',
    ...factsOf(review).map(([label, text]) => `  ${label.padEnd(14)}${text}`),
    ...(accounts.length === 0
      ? []
      : ['', 'records, as each table counts them:', renderTable(accounts, undefined, layout).trimEnd()]),
    ...(review.tables.length === 0
      ? []
      : ['', 'tables, beside what is published:', renderTable(review.tables.map(lineOf), undefined, layout).trimEnd()]),
    ...(sums.length === 0
      ? []
      : ['', 'sums that differ, of the rows that were read:', renderTable(sums, undefined, layout).trimEnd()]),
    ...(review.parities.length === 0 ? [] : ['', renderParities(review.parities).trimEnd()]),
    ...(decided === null
      ? [
          '',
          'next:',
          `  ${hint(`approve ${run_id} --by NAME --reason TEXT`)}`,
          `  ${hint(`reject ${run_id} --by NAME --reason TEXT`)}`,
        ]
      : []),
    '',
  ].join('\n');
}

function factsOf(review: Review): readonly (readonly [string, string])[] {
  const { decided, conditions, changed, moved, expectations, p50_ms } = review;
  const took = `${formatDuration(review.duration_ms)}${p50_ms === null ? '' : `, half of the runs ${formatDuration(p50_ms)} or less`}`;
  return [
    ['waits since', `${review.since}, rejected at ${review.expires_at}`],
    ...(decided === null
      ? []
      : [['decided', `${decided.decision} by ${decided.by} at ${decided.at}: ${decided.reason}`] as const]),
    ['digest', review.digest],
    ...conditions.map(
      ({ condition, holds, found }) => [holds ? 'holds' : 'does not hold', `${condition}: ${found}`] as const,
    ),
    ...changed.map((what) => ['changed', `${what} is not as it was prepared`] as const),
    ...moved.map((table) => ['changed', `other rows are published of ${table} than it goes on from`] as const),
    ['expectations', `${formatQuantity(expectations.held, 'expectation')} held`],
    ...expectations.warnings.map((warning) => ['warning', warning] as const),
    ['duration', took],
    ['cost', `$${review.cost_usd.toFixed(4)} on AWS until now`],
  ];
}

function lineOf({ table, rows, diff }: ReviewedTable): Row {
  if (diff !== null) return tableLine(diff);
  return {
    table,
    rows_from: null,
    rows_to: rows,
    added: rows,
    removed: 0,
    changed: null,
    'not unique': null,
    columns: null,
  };
}

function sumsOf({ table, diff }: ReviewedTable): readonly Row[] {
  const values = (diff?.values ?? []).filter(({ sum }) => sum !== null && sum.from !== sum.to);
  return values.map(({ column, sum }) => ({
    table,
    column,
    from: sum?.from ?? null,
    to: sum?.to ?? null,
    difference: sum?.delta ?? null,
  }));
}
