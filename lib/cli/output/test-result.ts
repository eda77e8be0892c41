import type { RowDiff } from '../../model-tests/diff.ts';
import type { Difference } from '../../model-tests/run-test.ts';
import type { Row } from '../../ports.ts';
import type { TestOutcome } from '../../runtime/model-tests.ts';
import { formatDuration, formatQuantity } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** The document of `strata test --json`. */
export function testDocument(outcomes: readonly TestOutcome[]): unknown {
  const failed = outcomes.filter(isFailed).length;
  return {
    passed: outcomes.length - failed,
    failed,
    tests: outcomes.map(({ differences, ms, ...names }) => ({
      ...names,
      status: differences.length === 0 ? 'passed' : 'failed',
      ms,
      differences: differences.map(differenceDocument),
    })),
  };
}

function isFailed({ differences }: TestOutcome): boolean {
  return differences.length > 0;
}

function differenceDocument(difference: Difference): unknown {
  if (difference.kind === 'error') return difference;
  const { diff, ...rest } = difference;
  const row = (values: readonly (string | null)[]): Row =>
    Object.fromEntries(diff.columns.map((name, at) => [name, values[at] ?? null]));
  return {
    ...rest,
    order: diff.order,
    missing: diff.missing.map(row),
    unexpected: diff.unexpected.map(row),
    changed: diff.changed.map(({ expected, got }) => ({ expected: row(expected), got: row(got) })),
  };
}

/** One line for each test, as it ends. */
export function testLine(outcome: TestOutcome): string {
  const { pipeline, model, test, ms } = outcome;
  return `${isFailed(outcome) ? '✗' : '✓'} ${pipeline} ${model}: ${test} (${formatDuration(ms)})\n`;
}

/** What differs, of a test that failed. */
export function renderFailure(outcome: TestOutcome, layout: TableLayout): string {
  if (!isFailed(outcome)) return '';
  const { pipeline, model, test, file, differences } = outcome;
  return [
    `\n✗ ${pipeline} ${model}: ${test}\n  ${file}\n`,
    ...differences.map((one) => renderDifference(one, layout)),
  ].join('');
}

export function testSummary(outcomes: readonly TestOutcome[], pipelines: string, pipeline: string | undefined): string {
  const failed = outcomes.filter(isFailed).length;
  const ms = outcomes.reduce((sum, outcome) => sum + outcome.ms, 0);
  if (outcomes.length === 0) return `no tests in ${pipelines}/${pipeline ?? '*'}/test\n`;
  const passed = formatQuantity(outcomes.length - failed, 'test');
  return `${failed === 0 ? '' : '\n'}${passed} passed, ${failed} failed, in ${formatDuration(ms)}\n`;
}

function renderDifference(difference: Difference, layout: TableLayout): string {
  if (difference.kind === 'error') return renderError(difference);
  const { diff, run } = difference;
  const what = difference.kind === 'rows' ? `rows of ${difference.table}` : 'rejected rows and files';
  if (diff.order) {
    const side = (rows: RowDiff['missing']): string =>
      renderTable(
        rows.map((row) => record(diff, null, row)),
        undefined,
        layout,
      );
    return `  the ${what} after ${run} come in another order; expected:\n${side(diff.missing)}  got:\n${side(diff.unexpected)}`;
  }
  const counts = [
    ...(diff.missing.length === 0 ? [] : [`${diff.missing.length} missing`]),
    ...(diff.unexpected.length === 0 ? [] : [`${diff.unexpected.length} unexpected`]),
    ...(diff.changed.length === 0 ? [] : [`${diff.changed.length} changed`]),
  ].join(', ');
  const rows = [
    ...diff.missing.map((row) => record(diff, 'missing', row)),
    ...diff.unexpected.map((row) => record(diff, 'unexpected', row)),
    ...diff.changed.map(({ expected, got }) => record(diff, 'changed', expected, got)),
  ];
  return `  ${what} after ${run}: ${counts}\n${renderTable(rows, undefined, layout)}`;
}

/** A row of the table that shows a difference; of a changed value both sides. */
function record(
  { columns }: RowDiff,
  mark: string | null,
  row: readonly (string | null)[],
  got: readonly (string | null)[] = row,
): Row {
  const values = columns.map((name, at) => {
    const [a = null, b = null] = [row[at], got[at]];
    return [name, a === b ? a : `${a ?? 'NULL'} → ${b ?? 'NULL'}`] as const;
  });
  return { ...(mark === null ? {} : { '': mark }), ...Object.fromEntries(values) };
}

function renderError({ expected, got, run }: Extract<Difference, { kind: 'error' }>): string {
  const lines = [
    ...(expected === null ? [] : [`expected ${run} to fail with: ${expected}`]),
    got === null ? `${run} succeeded` : `${run} failed: ${got}`,
  ];
  return `${lines.map((line) => `  ${line}`).join('\n')}\n`;
}
