/** What a value follows from: columns of tables, by whatever name they are given. */
export type Origins = ReadonlySet<string>;

/**
 * What of a relation is followed: columns by name, or, where they are not told apart, what any of them may come from.
 * `numbered`: DuckDB may have put a number behind a name that was there already.
 */
export type Columns = {
  readonly names: ReadonlyMap<string, Origins>;
  readonly any: Origins;
  readonly numbered: boolean;
  readonly rows: Origins;
};

/** A column as it is written; '' is the name of an expression without one. */
export type Place = { readonly name: string; readonly from: Origins };

/**
 * The columns that a query gives. `places` has each of them; undefined where a star hides how many there are. `spreads`:
 * what is written as one column may give several.
 */
export type Outputs = Columns & { readonly places: readonly Place[] | undefined; readonly spreads: boolean };

export const NONE: Origins = new Set();
export const NOTHING: Columns = { names: new Map(), any: NONE, numbered: false, rows: NONE };

export function union(...sets: readonly Origins[]): Origins {
  const filled = sets.filter(({ size }) => size > 0);
  return filled.length > 1 ? new Set(filled.flatMap((one) => [...one])) : (filled[0] ?? NONE);
}

/** What of `all` is not in `some`. */
export function without(all: Origins, some: Origins): Origins {
  return new Set([...all].filter((one) => !some.has(one)));
}

export function allNames({ names }: Pick<Columns, 'names'>): Origins {
  return union(...names.values());
}

export function allOutputs(outputs: Outputs): Origins {
  return union(outputs.any, allNames(outputs), ...fromOf(outputs.places ?? []));
}

export function fromOf(places: readonly Place[]): readonly Origins[] {
  return places.map(({ from }) => from);
}

/** Columns of one name follow from what either does. */
export function byName(columns: Iterable<readonly [name: string, from: Origins]>): ReadonlyMap<string, Origins> {
  const names = new Map<string, Origins>();
  for (const [name, from] of columns) names.set(name, union(names.get(name) ?? NONE, from));
  return names;
}

/** Of columns whose number is not what is written, each may be any. */
export function settled(outputs: Outputs): Outputs {
  const any = union(outputs.any, ...fromOf(outputs.places ?? []));
  return { ...outputs, any, places: undefined, spreads: false };
}

export function settledIfSpread(outputs: Outputs): Outputs {
  return outputs.spreads ? settled(outputs) : outputs;
}

/** Columns that get other names are told apart by their places alone. */
export function renamed(outputs: Outputs, aliases: readonly string[]): Columns {
  const { names, any, numbered, rows, places } = settledIfSpread(outputs);
  // A column without a name of its own has one that DuckDB gives it.
  if (aliases.length === 0) return { names, any: union(any, names.get('') ?? NONE), numbered, rows };
  if (places === undefined) return { names, any: union(any, allNames({ names })), numbered, rows };
  const given = aliases.map((one, at) => [one.toLowerCase(), places[at]?.from ?? NONE] as const);
  // Columns after those that get a name keep theirs.
  const kept = places.slice(aliases.length);
  return { names: new Map(given), any: union(any, ...fromOf(kept)), numbered: false, rows };
}

export function whole(columns: Columns): Origins {
  return union(columns.any, allNames(columns));
}

export function named({ names, numbered }: Columns, name: string): Origins {
  const from = names.get(name);
  if (from !== undefined) return from;
  const before = numbered ? /^(.+)[_:]\d+$/.exec(name)?.[1] : undefined;
  return before === undefined ? NONE : named({ names, numbered, any: NONE, rows: NONE }, before);
}
