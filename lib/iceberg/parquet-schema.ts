/** One element of a Parquet file's schema as its footer lists them: depth first, each with the number of its children. */
export type ParquetElement = {
  readonly name: string;
  readonly children: number;
  readonly repeated: boolean;
  readonly list: boolean;
  readonly fieldId: number | null;
};

/** A field of a Parquet file. A list has its element, which no level of repetition stands above. */
export type ParquetField = {
  readonly name: string;
  readonly fieldId: number | null;
  readonly fields: readonly ParquetField[];
  readonly element: ParquetField | undefined;
};

/**
 * The fields of a file below the root, which is the first element. Lists of two and of three levels are both lists.
 * Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists (backward compatibility).
 */
export function parquetFields(elements: readonly ParquetElement[]): readonly ParquetField[] {
  let at = 0;
  type Node = ParquetElement & { readonly nodes: readonly Node[] };
  const read = (): Node | undefined => {
    const element = elements[at];
    at += 1;
    if (element === undefined) return undefined;
    const nodes = Array.from({ length: element.children }, read).filter((node) => node !== undefined);
    return { ...element, nodes };
  };
  const fieldOf = (node: Node): ParquetField => {
    const { name, fieldId, nodes } = node;
    const inner = node.list ? nodes[0] : undefined;
    const element = inner === undefined ? undefined : fieldOf(elementOf(node.name, inner));
    return { name, fieldId, fields: element === undefined ? nodes.map(fieldOf) : [], element };
  };
  const elementOf = (list: string, repeated: Node): Node => {
    const [only] = repeated.nodes;
    const itself = repeated.name === 'array' || repeated.name === `${list}_tuple`;
    return only === undefined || repeated.nodes.length > 1 || itself ? repeated : only;
  };
  return read()?.nodes.map(fieldOf) ?? [];
}

/** Whether a file says of any of its fields which one of the table's it is. */
export function hasFieldIds(fields: readonly ParquetField[]): boolean {
  return fields.some(
    ({ fieldId, fields: inner, element }) =>
      fieldId !== null || hasFieldIds(inner) || (element !== undefined && hasFieldIds([element])),
  );
}
