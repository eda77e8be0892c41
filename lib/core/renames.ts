/** Columns that had other names before: by the name of now those of then, the latest first. */
export type Renamed = Readonly<Record<string, readonly string[]>>;

/**
 * What is still to follow: by the name of now the one that stands among `names` in its place. A name of now that is among
 * them has been given already, and a column none of whose names is there has never been.
 */
export function pendingRenames(renamed: Renamed, names: readonly string[]): ReadonlyMap<string, string> {
  const pending = new Map<string, string>();
  for (const [name, before] of Object.entries(renamed)) {
    const found = names.includes(name) ? undefined : before.find((one) => names.includes(one));
    if (found !== undefined) pending.set(name, found);
  }
  return pending;
}

type NamedColumn = { readonly source: string; readonly renamedFrom?: readonly string[] };

/** The names by which files may have a column of the contract: that of now, and those of before. */
export function namesInFiles({ source, renamedFrom = [] }: NamedColumn): readonly string[] {
  return [source, ...renamedFrom];
}

/** The name by which a file with these columns has one of the contract; undefined for a file that lacks it. */
export function nameInFile(column: NamedColumn, names: readonly string[]): string | undefined {
  return namesInFiles(column).find((name) => names.includes(name));
}

const WORDS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*/g;

/**
 * SQL with other names in place of its words, wherever these stand outside of text. They have the quotes that the words
 * have; with `quoted`, the others of these names have none.
 */
export function renameWords(sql: string, names: ReadonlyMap<string, string>, quoted?: ReadonlySet<string>): string {
  return sql.replace(WORDS, (word) => {
    const isQuoted = word.startsWith('"');
    const other = names.get(isQuoted ? word.slice(1, -1).replaceAll('""', '"') : word);
    if (other === undefined) return word;
    return (quoted?.has(other) ?? isQuoted) ? `"${other.replaceAll('"', '""')}"` : other;
  });
}

const MOST_QUOTED = 8;

/** The same with quotes or without, for each of the names: the engine writes them by what it takes for a word of its own. */
export function* renamedSpellings(sql: string, names: ReadonlyMap<string, string>): Generator<string> {
  yield renameWords(sql, names);
  const others = [...names.values()].slice(0, MOST_QUOTED);
  for (let chosen = 0; chosen < 2 ** others.length; chosen += 1) {
    yield renameWords(sql, names, new Set(others.filter((_, i) => Math.floor(chosen / 2 ** i) % 2 === 1)));
  }
}
