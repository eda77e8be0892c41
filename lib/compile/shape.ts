import { z } from 'zod';
import { oneOf } from '../core/suggest.ts';
import { type Notes, placeIn, showValue } from './notes.ts';

/** One property of an untrusted object: its schema, and in words what it may be. */
export type Field<T = unknown> = {
  readonly schema: z.ZodType<T>;
  readonly expected: string;
  readonly required?: boolean;
};

export type Fields = { readonly [key: string]: Field };
export type FieldsRead<F extends Fields> = { readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

/**
 * Reads an untrusted object property by property, so that one bad property hides no other. What is wrong goes into
 * `notes` and is left out of the answer; `undefined` when the value is not an object at all.
 */
export function readFields<F extends Fields>(
  fields: F,
  value: unknown,
  place: string,
  expected: string,
  notes: Notes,
): FieldsRead<F> | undefined {
  if (!isRecord(value)) {
    notes.add(place, showValue(value), expected);
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fields, key))
      notes.add(placeIn(place, key), 'an unknown property', oneOf(key, Object.keys(fields)));
  }
  const entries = Object.entries(fields).flatMap(([key, field]) => {
    const read = readField(field, value[key], placeIn(place, key), notes);
    return read === undefined ? [] : [[key, read] as const];
  });
  return Object.fromEntries(entries) as FieldsRead<F>;
}

/** Reads one value; `undefined` when it is absent, or wrong and noted. */
export function readField<T>(field: Field<T>, value: unknown, place: string, notes: Notes): T | undefined {
  if (value === undefined) {
    if (field.required) notes.add(place, 'nothing', field.expected);
    return undefined;
  }
  const parsed = field.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = new Set<string>();
  for (const issue of parsed.error.issues) {
    const at = issue.path.reduce<string>((outer, key) => placeIn(outer, key), place);
    if (places.has(at)) continue;
    places.add(at);
    notes.add(at, showValue(issue.path.reduce<unknown>(inside, value)), field.expected);
  }
  return undefined;
}

/** Text that stands for a number. */
export function span(parse: (text: string) => number | undefined, expected: string): Field<number> {
  const schema = z.string().transform((text, context) => {
    const parsed = parse(text);
    if (parsed === undefined) context.addIssue({ code: 'custom', message: expected });
    return parsed ?? z.NEVER;
  });
  return { schema, expected };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inside(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}
