import type { Grain } from '../core/run-date.ts';
import type { JsonValue } from '../ports.ts';
import { type Node, nodeAt, nodesAt, textAt, walk } from '../sql/tree.ts';
import type { ParsedModel } from './draft.ts';
import { type Notes, placeIn, showValue } from './notes.ts';
import { isCalled, OF_RUN_DATE } from './own-functions.ts';

/** By how much of a date's parts, from the coarsest, a function of it tells. */
const PARTS: Readonly<Record<string, Grain>> = {
  year: 'year',
  years: 'year',
  decade: 'year',
  century: 'year',
  quarter: 'month',
  month: 'month',
  months: 'month',
};
const OF_ONE_PART: Readonly<Record<string, Grain>> = {
  year: 'year',
  decade: 'year',
  century: 'year',
  quarter: 'month',
  month: 'month',
  monthname: 'month',
  last_day: 'month',
};
const BY_NAMED_PART: ReadonlySet<string> = new Set(['date_trunc', 'datetrunc', 'date_part', 'datepart']);
const COARSE: readonly Grain[] = ['year', 'month', 'day'];

/**
 * At which grain a gold model depends on the run date: as it says itself, or the finest at which its SQL names the date. Undefined
 * where it does not name it; a grain that is given all the same is noted.
 */
export function dueByOf({ draft, tree }: ParsedModel, notes: Notes): Grain | undefined {
  const found = [...grainsIn(tree)];
  if (found.length > 0) return draft.grain ?? COARSE.findLast((grain) => found.includes(grain));
  if (draft.grain === undefined) return undefined;
  notes.add(
    placeIn(draft.place, 'grain'),
    showValue(draft.grain),
    'SQL that names run_date() or run_time(), by which the table would be due; leave it out',
  );
  return undefined;
}

function* grainsIn(value: JsonValue | undefined): Generator<Grain> {
  const coarse = new Set<Node>();
  for (const node of walk(value)) {
    if (node['class'] !== 'FUNCTION') continue;
    const [grain, date] = ofPart(node);
    if (grain !== undefined && date !== undefined && isCalled(date, 'run_date')) {
      coarse.add(date);
      yield grain;
    } else if (OF_RUN_DATE.some((name) => isCalled(node, name)) && !coarse.has(node)) yield 'day';
  }
}

/** The grain of a function of a part of one date, and the date; run_time() is in no zone, so that its parts are not the date's. */
function ofPart(node: Node): readonly [grain: Grain | undefined, date: Node | undefined] {
  const name = textAt(node, 'function_name').toLowerCase();
  const [first, second, ...more] = nodesAt(node, 'children');
  if (BY_NAMED_PART.has(name) && more.length === 0) return [PARTS[constantOf(first)], second];
  return second === undefined ? [OF_ONE_PART[name], first] : [undefined, undefined];
}

function constantOf(node: Node | undefined): string {
  const value = node === undefined ? undefined : nodeAt(node, 'value')?.['value'];
  return typeof value === 'string' ? value.toLowerCase() : '';
}
