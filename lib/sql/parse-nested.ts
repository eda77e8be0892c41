import type { ColumnType } from '../core/types.ts';
import { parseScalar } from './parse-scalar.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteName, quoteText } from './quote.ts';

/** JSON text whose shape is taken first, with text in its leaves, so that a leaf is parsed as a column of its type is. */
export function parseNested(type: ColumnType, text: string): ParsedColumn {
  const structure = quoteText(JSON.stringify(textStructure(type)));
  const shape = `TRY(json_transform_strict(TRY_CAST(${text} AS JSON), ${structure}))`;
  const { value, exact } = parseInside(type, shape, 0);
  return { value, exact: `(${shape} IS NOT NULL AND COALESCE(${exact}, false))` };
}

function parseInside(type: ColumnType, shape: string, depth: number): ParsedColumn {
  if (type.kind === 'list') {
    const item = `item${depth}`;
    const { value, exact } = parseInside(type.element, item, depth + 1);
    const broken = `list_filter(${shape}, lambda ${item}: ${item} IS NOT NULL AND NOT COALESCE(${exact}, false))`;
    return { value: `list_transform(${shape}, lambda ${item}: ${value})`, exact: `len(${broken}) = 0` };
  }
  if (type.kind === 'struct') {
    const fields = type.fields.map((f) => {
      const inner = `struct_extract(${shape}, ${quoteText(f.name)})`;
      return { name: quoteName(f.name), inner, ...parseInside(f.type, inner, depth) };
    });
    const packed = `struct_pack(${fields.map((f) => `${f.name} := ${f.value}`).join(', ')})`;
    return {
      value: `CASE WHEN ${shape} IS NOT NULL THEN ${packed} END`,
      exact: fields.map((f) => `(${f.inner} IS NULL OR COALESCE(${f.exact}, false))`).join(' AND '),
    };
  }
  const { value } = parseScalar(type, shape, '');
  return { value, exact: parseScalar(type, shape, value).exact };
}

type JsonStructure = string | readonly JsonStructure[] | { readonly [name: string]: JsonStructure };

function textStructure(type: ColumnType): JsonStructure {
  if (type.kind === 'list') return [textStructure(type.element)];
  if (type.kind === 'struct') return Object.fromEntries(type.fields.map((f) => [f.name, textStructure(f.type)]));
  return 'VARCHAR';
}
