import type { NativeType, Stored } from '../../sql/native-type.ts';
import type { SchemaNode } from './footer.ts';

/**
 * A type that DuckDB gives a column, with the names of the file's own schema and with what is stored otherwise. DuckDB
 * takes a repeated group of one field for that field.
 * Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types
 */
export function nameParts(type: NativeType, node: SchemaNode, stored: ReadonlyMap<number, Stored>): NativeType {
  switch (type.kind) {
    case 'leaf': {
      const found = stored.get(node.leaf ?? -1);
      if (found === undefined) return type;
      return { kind: 'leaf', type: found.kind === 'float16' ? 'FLOAT' : 'VARCHAR', stored: found };
    }
    case 'list':
      return { kind: 'list', element: nameParts(type.element, elementOf(node), stored) };
    case 'map': {
      const entry = node.children[0];
      const [key, value] = entry?.children ?? [];
      if (key === undefined || value === undefined) throw otherShape(node);
      return { kind: 'map', key: nameParts(type.key, key, stored), value: nameParts(type.value, value, stored) };
    }
    case 'struct': {
      if (type.fields.length !== node.children.length) throw otherShape(node);
      const fields = type.fields.map((field, i) => {
        const child = node.children[i];
        if (child === undefined) throw otherShape(node);
        return { name: child.name, type: nameParts(field.type, child, stored) };
      });
      return { kind: 'struct', fields };
    }
  }
}

function elementOf(node: SchemaNode): SchemaNode {
  if (node.repetition === 'repeated') {
    const [only] = node.children;
    return node.children.length === 1 && only !== undefined ? only : { ...node, repetition: 'required' };
  }
  const [repeated] = node.children;
  if (repeated === undefined || node.children.length !== 1) throw otherShape(node);
  return elementOf(repeated);
}

function otherShape({ name }: SchemaNode): RangeError {
  return new RangeError(`the engine finds other parts in column ${JSON.stringify(name)} than its schema has`);
}
