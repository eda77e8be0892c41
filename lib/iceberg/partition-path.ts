import { InvalidInput } from '../core/errors.ts';
import { civilFromDays, daysFromCivil, floorDivide, MICROS_PER_DAY, MICROS_PER_SECOND } from './calendar.ts';
import { murmur3 } from './murmur3.ts';
import { type ResolvedField, resolveSpec } from './partition.ts';
import { decimalOf } from './schema.ts';
import { parseScalarText } from './text.ts';
import type { IcebergType, IcebergValue, PartitionSpec, StructType } from './types.ts';

/**
 * A partition tuple as text, `order_ts_month=2020-01/id_bucket=3`: for data file keys, messages, and as the key of a
 * map, since equal tuples have equal text and different ones different text. Every value is percent-escaped.
 */

const NULL = '__HIVE_DEFAULT_PARTITION__';
/** Most file systems allow 255 bytes in a name; the rest is for the escape that the cut may run into, and the hash. */
const LONGEST = 200;

export function partitionPath(spec: PartitionSpec, schema: StructType, tuple: readonly IcebergValue[]): string {
  return resolveSpec(spec, schema)
    .map((field, at) => `${escaped(field.name)}=${renderPart(field, tuple[at] ?? null)}`)
    .join('/');
}

/** The same as a folder: a part too long for a file name is cut, and a hash keeps cut parts apart. */
export function partitionFolder(spec: PartitionSpec, schema: StructType, tuple: readonly IcebergValue[]): string {
  return partitionPath(spec, schema, tuple).split('/').map(shorten).join('/');
}

/** The tuple of a partitionPath. Throws InvalidInput when the text is not one of this spec. */
export function parsePartitionPath(spec: PartitionSpec, schema: StructType, path: string): readonly IcebergValue[] {
  const fields = resolveSpec(spec, schema);
  const parts = path === '' ? [] : path.split('/');
  if (parts.length !== fields.length) throw notAPath(path, fields);
  return fields.map((field, at) => {
    const prefix = `${escaped(field.name)}=`;
    const part = parts[at] ?? '';
    const value = part.startsWith(prefix) ? parsePart(field, part.slice(prefix.length)) : undefined;
    if (value === undefined) throw notAPath(path, fields);
    return value;
  });
}

function notAPath(path: string, fields: readonly ResolvedField[]): InvalidInput {
  const expected = fields.map((field) => `${field.name}=<${field.transform.kind}>`).join('/');
  return new InvalidInput(`a partition path: got ${JSON.stringify(path)}; expected ${JSON.stringify(expected)}`);
}

function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function shorten(part: string): string {
  if (part.length <= LONGEST) return part;
  const hash = (murmur3(new TextEncoder().encode(part)) >>> 0).toString(16).padStart(8, '0');
  // A cut inside a percent escape would leave a name that no reader can unescape.
  return `${part.slice(0, LONGEST).replace(/%.?$/, '')}~${hash}`;
}

/** A value as SQL casts it to its type; binary as `\\xNN`. */
export function renderScalarText(type: IcebergType, value: Exclude<IcebergValue, null>): string {
  if (!(value instanceof Uint8Array)) return Object.is(value, -0) ? '-0.0' : renderTyped(type, value);
  return Array.from(value, (byte) => `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
}

/** A tuple as one text for each field: of year, month and hour as the path has it, of the others as SQL casts it to its type. */
export function partitionTexts(
  spec: PartitionSpec,
  schema: StructType,
  tuple: readonly IcebergValue[],
): readonly (string | null)[] {
  return resolveSpec(spec, schema).map((field, at) => {
    const value = tuple[at] ?? null;
    if (value === null) return null;
    const dated = ['year', 'month', 'hour'].includes(field.transform.kind);
    return dated ? renderValue(field, value) : renderScalarText(field.type, value);
  });
}

function renderPart(field: ResolvedField, value: IcebergValue): string {
  if (value === null) return NULL;
  const text = escaped(renderValue(field, value));
  return text === NULL ? `%5F${text.slice(1)}` : text;
}

function renderValue(field: ResolvedField, value: IcebergValue): string {
  if (typeof value !== 'number') return renderTyped(field.type, value);
  switch (field.transform.kind) {
    case 'year':
      return renderYear(value + 1970);
    case 'month':
      return `${renderYear(Math.floor(value / 12) + 1970)}-${two((((value % 12) + 12) % 12) + 1)}`;
    case 'hour':
      return `${renderDate(Math.floor(value / 24))}-${two(((value % 24) + 24) % 24)}`;
    default:
      return renderTyped(field.type, value);
  }
}

function renderTyped(type: IcebergType, value: IcebergValue): string {
  const scale = decimalOf(type)?.scale;
  if (scale !== undefined) return renderDecimal(value as bigint, scale);
  if (value instanceof Uint8Array) return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (type === 'date') return renderDate(value as number);
  if (type === 'timestamp' || type === 'timestamptz') return renderTimestamp(value as bigint);
  return String(value);
}

/** A decimal's text from its unscaled value. */
export function renderDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const cut = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, cut)}${scale > 0 ? `.${digits.slice(cut)}` : ''}`;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Years as ISO 8601 counts them: 0 is 1 BC. */
function renderYear(year: number): string {
  return year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
}

function renderDate(days: number): string {
  const { year, month, day } = civilFromDays(days);
  return `${renderYear(year)}-${two(month)}-${two(day)}`;
}

function renderTimestamp(micros: bigint): string {
  const days = floorDivide(micros, MICROS_PER_DAY);
  const rest = micros - days * MICROS_PER_DAY;
  const seconds = Number(rest / MICROS_PER_SECOND);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two).join(':');
  return `${renderDate(Number(days))}T${time}.${String(rest % MICROS_PER_SECOND).padStart(6, '0')}`;
}

function parsePart(field: ResolvedField, part: string): IcebergValue | undefined {
  if (part === NULL) return null;
  const text = unescaped(part);
  if (text === undefined) return undefined;
  const [, year = '', month = '01', day = '01', hour = '00'] =
    /^(-?\d{4,})(?:-(\d\d))?(?:-(\d\d))?(?:-(\d\d))?$/.exec(text) ?? [];
  switch (field.transform.kind) {
    case 'year':
      return year === '' ? undefined : Number(year) - 1970;
    case 'month':
      return year === '' ? undefined : (Number(year) - 1970) * 12 + Number(month) - 1;
    case 'hour':
      return year === '' ? undefined : isoDays(year, month, day) * 24 + Number(hour);
    default:
      return parseTyped(field.type, text);
  }
}

function parseTyped(type: IcebergType, text: string): IcebergValue | undefined {
  if (type === 'binary') return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  if (type === 'float' || type === 'double') return Number(text);
  const [, year = '', month = '', day = '', time] = /^(-?\d{4,})-(\d\d)-(\d\d)(?:T(.*))?$/.exec(text) ?? [];
  if (type === 'date') return year === '' ? undefined : isoDays(year, month, day);
  if (type !== 'timestamp' && type !== 'timestamptz') return parseScalarText(type, text);
  const micros = parseScalarText('time', time ?? '');
  return typeof micros === 'bigint' ? BigInt(isoDays(year, month, day)) * MICROS_PER_DAY + micros : undefined;
}

function isoDays(year: string, month: string, day: string): number {
  return daysFromCivil({ year: Number(year), month: Number(month), day: Number(day) });
}

function unescaped(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
