import { type Node, textAt, textsAt, walk } from '../sql/tree.ts';

/** The name of an item of a select list; '' for an expression without one. */
export function writtenName(item: Node): string {
  return (textAt(item, 'alias') || textsAt(item, 'column_names').at(-1) || '').toLowerCase();
}

/** Whether two columns may have one name, of which DuckDB then calls the second `name_1`. */
export function mayNumber(items: readonly Node[], own: readonly { readonly numbered: boolean }[]): boolean {
  const star = items.some((item) => textAt(item, 'class') === 'STAR');
  if (star && (items.length > 1 || own.length > 1 || own.some((one) => one.numbered))) return true;
  const written = items.map(writtenName).filter((name) => name !== '');
  return new Set(written).size < written.length;
}

/** Whether an item may give several columns. */
export function spreadsOut(item: Node): boolean {
  for (const node of walk(item, (inner) => textAt(inner, 'class') !== 'SUBQUERY')) {
    const kind = textAt(node, 'class');
    if (kind === 'STAR' || (kind === 'FUNCTION' && textAt(node, 'function_name').toLowerCase() === 'unnest'))
      return true;
  }
  return false;
}
