import { visibleLine } from '../../core/visible.ts';
import type { Checked } from '../../query/check-tables.ts';
import { formatQuantity } from './human.ts';
import { textOf } from './rows.ts';
import { renderTable, type TableLayout } from './table.ts';

/** How many expectations came to what; one that cannot be evaluated has failed, whatever its policy. */
export type Verdict = {
  readonly held: number;
  readonly failed: number;
  readonly warned: number;
  readonly without_table: number;
};

export function verdictOf(checked: readonly Checked[]): Verdict {
  const count = (holds: (one: Checked) => boolean): number => checked.filter(holds).length;
  return {
    held: count(({ status }) => status === 'holds'),
    failed: count(isFailure),
    warned: count(({ status, policy }) => status === 'fails' && policy === 'warn'),
    without_table: count(({ status }) => status === 'no table'),
  };
}

function isFailure({ status, policy }: Checked): boolean {
  return status === 'error' || (status === 'fails' && policy !== 'warn');
}

/** The document of `strata check --json`. */
export function checkDocument(checked: readonly Checked[]): unknown {
  return { ...verdictOf(checked), checks: checked };
}

/** A line for each expectation, with some of the rows that offend. */
export function renderChecks(checked: readonly Checked[], layout: TableLayout): string {
  if (checked.length === 0) return 'no expectations\n';
  const { held, failed, warned, without_table } = verdictOf(checked);
  const parts = [
    `${formatQuantity(held, 'expectation')} ${held === 1 ? 'holds' : 'hold'}`,
    `${failed} failed`,
    ...(warned === 0 ? [] : [`${warned} warned`]),
    ...(without_table === 0 ? [] : [`${without_table} without a table`]),
  ];
  return `${checked.map((one) => renderCheck(one, layout)).join('')}${parts.join(', ')}\n`;
}

function renderCheck(one: Checked, layout: TableLayout): string {
  const name = `${one.table}: ${one.expectation}`;
  switch (one.status) {
    case 'holds':
      return visible(`ok    ${name}`);
    case 'no table':
      return visible(`-     ${name}: there is no table yet`);
    case 'error':
      return visible(`ERROR ${name}, ${one.policy}: cannot be evaluated: ${one.error ?? ''}`);
    case 'fails': {
      const mark = one.policy === 'warn' ? 'warn ' : 'FAIL ';
      return visible(`${mark} ${name}, ${one.policy}: ${offenceOf(one)}`) + renderSample(one, layout);
    }
  }
}

function visible(line: string): string {
  return `${visibleLine(line)}\n`;
}

/** What was got, and what was expected. */
function offenceOf({ kind, offending, sample, expects }: Checked): string {
  const count = offending ?? 0;
  switch (kind) {
    case 'rowCount':
      return `got ${textOf(sample[0]?.['rows'])} rows; expected ${expects}`;
    case 'unique':
      return `${formatQuantity(count, 'repeated key')}; expected ${expects}`;
    case 'row':
    case 'sql':
    case 'invariant':
      return `${formatQuantity(count, 'row')}; expected ${kind === 'sql' ? `none of: ${expects}` : expects}`;
  }
}

function renderSample({ kind, sample }: Checked, layout: TableLayout): string {
  return kind === 'rowCount' ? '' : renderTable(sample, undefined, layout);
}
