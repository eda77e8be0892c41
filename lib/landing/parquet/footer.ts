import type { FileHandle } from 'node:fs/promises';
import { LONGEST_FOOTER, LONGEST_RECORD, MOST_ROW_GROUPS, tooManyColumns } from '../limits.ts';
import { decodeStruct, intAt, structAt, structsAt, type ThriftStruct, textAt, textsAt } from './thrift.ts';

/**
 * What the end of a Parquet file says of the rest. `thrift` is the FileMetaData as it stands.
 * Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
export type Footer = {
  readonly thrift: ThriftStruct;
  /** Where the footer begins, which is where the pages end. */
  readonly start: number;
  readonly rows: number;
  readonly columns: readonly SchemaNode[];
  readonly leaves: readonly SchemaLeaf[];
  readonly rowGroups: readonly RowGroup[];
};

export type SchemaNode = {
  readonly name: string;
  readonly repetition: 'required' | 'optional' | 'repeated';
  readonly children: readonly SchemaNode[];
  readonly element: ThriftStruct;
  /** Which of the leaves it is; undefined for a group. */
  readonly leaf: number | undefined;
};

export type SchemaLeaf = {
  readonly path: readonly string[];
  readonly node: SchemaNode;
  /** A repeated field is on its path, so that a row may have any number of its values. */
  readonly repeated: boolean;
};

export type RowGroup = { readonly rows: number; readonly chunks: readonly ColumnChunk[] };

export type ColumnChunk = {
  readonly meta: ThriftStruct;
  /** Values with nulls. */
  readonly values: number;
  /** Where its first page begins. */
  readonly start: number;
  /** The bytes of its pages, as the footer has it. */
  readonly bytes: number;
};

const MAGIC = 'PAR1';
const ENCRYPTED = 'PARE';
const TAIL = 8;
const REPETITION = ['required', 'optional', 'repeated'] as const;

/** Reads the footer and holds it against itself and the size of the file. Throws RangeError with what is wrong. */
export async function readFooter(file: FileHandle, size: number): Promise<Footer> {
  return readFooterBy((from, length) => readAt(file, from, length), size);
}

/** The same by a way to come by bytes of the file. */
export async function readFooterBy(
  read: (from: number, length: number) => Promise<Buffer>,
  size: number,
): Promise<Footer> {
  if (size < MAGIC.length + TAIL) throw new RangeError(`no Parquet file: it has ${size} bytes`);
  const head = await read(0, MAGIC.length);
  const tail = await read(size - TAIL, TAIL);
  const [first, last] = [head.toString('latin1'), tail.subarray(4).toString('latin1')];
  if (first === ENCRYPTED || last === ENCRYPTED) throw new RangeError('the footer is encrypted');
  if (first !== MAGIC) throw new RangeError(`no Parquet file: it does not begin with ${MAGIC}`);
  if (last !== MAGIC) throw new RangeError(`the file is cut short: it does not end with ${MAGIC}`);
  const length = tail.readUInt32LE(0);
  const start = size - TAIL - length;
  if (start < MAGIC.length) throw new RangeError(`its footer is said to have ${length} bytes, the file has ${size}`);
  if (length > LONGEST_FOOTER)
    throw new RangeError(`its footer has ${length} bytes; at most ${LONGEST_FOOTER} are read`);
  return parseFooter(await read(start, length), start);
}

/** The footer in these bytes, which begin at `start` of the file. */
export function parseFooter(bytes: Buffer, start: number): Footer {
  const thrift = decodeStruct(bytes).struct;
  const leaves: SchemaLeaf[] = [];
  const columns = readSchema(structsAt(thrift, 2), leaves);
  const many = tooManyColumns(leaves.length);
  if (many !== undefined) throw new RangeError(many);
  const groups = structsAt(thrift, 4).length;
  if (groups > MOST_ROW_GROUPS)
    throw new RangeError(`it has ${groups} row groups; at most ${MOST_ROW_GROUPS} are read`);
  const rowGroups = structsAt(thrift, 4).map((group, i) => readRowGroup(group, i, leaves, start));
  const rows = countAt(thrift, 3, 'rows');
  const inGroups = rowGroups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== inGroups) throw new RangeError(`its footer has ${rows} rows, its row groups have ${inGroups}`);
  return { thrift, start, rows, columns, leaves, rowGroups };
}

export async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, from);
  if (bytesRead < length) throw new RangeError(`${length} bytes at ${from}: only ${bytesRead} are there`);
  return buffer;
}

/** The schema is a tree as a list, each group followed by its children; the first element is the root. */
function readSchema(elements: readonly ThriftStruct[], leaves: SchemaLeaf[]): readonly SchemaNode[] {
  let at = 0;
  const readNode = (path: readonly string[], repeated: boolean): SchemaNode => {
    const element = elements[at];
    if (element === undefined) throw new RangeError('its schema ends too early');
    at += 1;
    const name = textAt(element, 4) ?? '';
    const repetition = REPETITION[Number(intAt(element, 3) ?? 0)] ?? 'required';
    const inner = { path: [...path, name], repeated: repeated || repetition === 'repeated' };
    const groups = Number(intAt(element, 5) ?? 0);
    if (groups === 0 && intAt(element, 1) !== undefined) {
      const node = { name, repetition, children: [], element, leaf: leaves.length };
      leaves.push({ ...inner, node });
      return node;
    }
    if (groups > elements.length - at) throw new RangeError('its schema ends too early');
    const children = Array.from({ length: groups }, () => readNode(inner.path, inner.repeated));
    return { name, repetition, children, element, leaf: undefined };
  };
  const count = Number(intAt(elements[0] ?? new Map(), 5) ?? 0);
  if (elements[0] === undefined || count > elements.length) throw new RangeError('it has no schema');
  at = 1;
  const columns = Array.from({ length: count }, () => readNode([], false));
  if (at !== elements.length)
    throw new RangeError(`its schema has ${elements.length} elements, of which ${at} are used`);
  return columns;
}

function readRowGroup(group: ThriftStruct, index: number, leaves: readonly SchemaLeaf[], end: number): RowGroup {
  const rows = countAt(group, 3, `rows of row group ${index}`);
  const chunks = structsAt(group, 1);
  if (chunks.length !== leaves.length) {
    throw new RangeError(`row group ${index} has ${chunks.length} columns, the schema has ${leaves.length}`);
  }
  return { rows, chunks: chunks.map((chunk, i) => readChunk(chunk, leaves[i], { index, rows, end })) };
}

function readChunk(
  chunk: ThriftStruct,
  leaf: SchemaLeaf | undefined,
  group: { readonly index: number; readonly rows: number; readonly end: number },
): ColumnChunk {
  const name = leaf?.path.join('.') ?? '';
  const where = `column ${JSON.stringify(name)} of row group ${group.index}`;
  const meta = structAt(chunk, 3);
  if (chunk.has(1)) throw new RangeError(`${where} is in another file`);
  if (meta === undefined || leaf === undefined) throw new RangeError(`${where} is encrypted, or is not described`);
  if (textsAt(meta, 3).join('\0') !== leaf.path.join('\0')) {
    throw new RangeError(`${where} is called ${JSON.stringify(textsAt(meta, 3).join('.'))} there`);
  }
  const [type, declared] = [intAt(meta, 1), intAt(leaf.node.element, 1)];
  if (type !== declared) throw new RangeError(`${where} has physical type ${type} there, ${declared} in the schema`);
  const values = countAt(meta, 5, `values of ${where}`);
  if (leaf.repeated ? values < group.rows : values !== group.rows) {
    throw new RangeError(`${where} has ${values} values for ${group.rows} rows`);
  }
  const [data, dictionary] = [Number(intAt(meta, 9) ?? 0), Number(intAt(meta, 11) ?? 0)];
  // Some writers give 0 for no dictionary.
  const start = dictionary > 0 ? Math.min(data, dictionary) : data;
  if (group.rows > 0 && (start < MAGIC.length || start >= group.end)) {
    throw new RangeError(`${where} begins at byte ${start}, the pages end at ${group.end}`);
  }
  assertShortValues(meta, values, where);
  return { meta, values, start, bytes: Number(intAt(meta, 7) ?? 0) };
}

/** Values that are longer on the average than any may be: a file of a few bytes may inflate to a few of gigabytes. */
function assertShortValues(meta: ThriftStruct, values: number, where: string): void {
  const average = Number(intAt(meta, 6) ?? 0) / Math.max(1, values);
  if (average <= LONGEST_RECORD) return;
  throw new RangeError(
    `${where} has ${values} values of ${Math.round(average)} bytes on the average; at most ${LONGEST_RECORD} are read`,
  );
}

function countAt(struct: ThriftStruct, id: number, what: string): number {
  const count = Number(intAt(struct, id) ?? -1);
  if (count < 0 || !Number.isSafeInteger(count)) throw new RangeError(`its footer has ${count} ${what}`);
  return count;
}
