import type { Cell } from './model-test.ts';

/** A value as JSON writes it, numbers with the digits that they were given with. */
export function cellJson(cell: Cell): string {
  switch (cell.kind) {
    case 'null':
      return 'null';
    case 'scalar':
      return cell.json;
    case 'list':
      return `[${cell.items.map(cellJson).join(',')}]`;
    case 'struct':
      return `{${cell.fields.map(([name, value]) => `${JSON.stringify(name)}:${cellJson(value)}`).join(',')}}`;
  }
}

/** The text of a value; null for none. Lists and maps are JSON. */
export function cellText(cell: Cell | undefined): string | null {
  if (cell === undefined || cell.kind === 'null') return null;
  return cell.kind === 'scalar' ? cell.text : cellJson(cell);
}
