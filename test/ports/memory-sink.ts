import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { ObjectStore, Sink, SinkOutcome, SinkRows, SinkTable } from '../../lib/ports.ts';

export type SinkRow = Readonly<Record<string, string | null>>;

/** A sink in memory: what is served, as text, and the book of it. */
export type MemorySink = {
  readonly sink: Sink;
  readonly tables: ReadonlyMap<string, readonly SinkRow[]>;
  /** By pipeline and run. */
  readonly book: ReadonlyMap<string, readonly SinkOutcome[]>;
};

/** What a sink has. */
export type SinkState = {
  readonly tables: readonly (readonly [string, readonly SinkRow[]])[];
  readonly book: readonly (readonly [string, readonly SinkOutcome[]])[];
  readonly latest: readonly (readonly [string, string | null])[];
};

const STATE = 'exports/sink.json';

/** What is in the sink of a lake's store; nothing where nothing was served. */
export async function readStoredSink(store: ObjectStore): Promise<SinkState> {
  return (await seeStored(store)).state;
}

async function seeStored(store: ObjectStore): Promise<{ readonly state: SinkState; readonly etag?: string }> {
  if ((await store.head(STATE)) === undefined) return { state: { tables: [], book: [], latest: [] } };
  const { bytes, etag } = await store.read(STATE);
  return { state: JSON.parse(new TextDecoder().decode(bytes)) as SinkState, etag };
}

/**
 * A sink that is one object of the store: a copy of the lake has it, and its transaction ends as a change of the store does. Of two at
 * once the second begins anew, as who waits for its turn sees what is there by then.
 */
export function createStoredSink(store: ObjectStore): Sink {
  return {
    async publish(run) {
      for (;;) {
        const { state, etag } = await seeStored(store);
        const memory = createMemorySink(state);
        const outcomes = await memory.sink.publish(run);
        const bytes = new TextEncoder().encode(JSON.stringify(memory.state()));
        const condition = etag === undefined ? ({ kind: 'absent' } as const) : ({ kind: 'match', etag } as const);
        if ((await store.write(STATE, bytes, condition)).kind === 'written') return outcomes;
      }
    },
  };
}

export function createMemorySink(before?: SinkState): MemorySink & { readonly state: () => SinkState } {
  const tables = new Map<string, readonly SinkRow[]>(before?.tables);
  const book = new Map<string, readonly SinkOutcome[]>(before?.book);
  const latest = new Map<string, string | null>(before?.latest);
  const sink: Sink = {
    async publish({ pipeline, run_id, schema, tables: asked, requireHeld }) {
      await requireHeld();
      const known = book.get(`${pipeline} ${run_id}`);
      if (known !== undefined) return known.map((one) => ({ ...one, how: 'before' }));
      const next = new Map(tables);
      const outcomes: SinkOutcome[] = [];
      for (const table of asked) {
        const { name, snapshot_id } = table;
        const place = `${schema}.${name}`;
        const rows = await table.rows(tables.has(place) ? (latest.get(`${pipeline} ${name}`) ?? null) : null);
        const copied = rows.kind === 'unchanged' ? [] : readRows(rows.path, namesOf(table));
        next.set(place, changed(table, next.get(place) ?? [], rows, copied));
        outcomes.push({ name, how: rows.kind, rows: copied.length, snapshot_id });
      }
      for (const [place, rows] of next) tables.set(place, rows);
      for (const { name, snapshot_id } of outcomes) latest.set(`${pipeline} ${name}`, snapshot_id);
      book.set(`${pipeline} ${run_id}`, outcomes);
      return outcomes;
    },
  };
  return { sink, tables, book, state: () => ({ tables: [...tables], book: [...book], latest: [...latest] }) };
}

function changed(
  { mode, key }: SinkTable,
  before: readonly SinkRow[],
  rows: SinkRows,
  copied: readonly SinkRow[],
): readonly SinkRow[] {
  if (rows.kind === 'unchanged') return before;
  if (mode === 'replace') return copied;
  if (mode === 'append')
    return rows.kind === 'changes' ? [...before, ...copied] : [...before, ...missing(copied, before)];
  const keyOf = (row: SinkRow): string => JSON.stringify(key.map((name) => row[name]));
  const now = new Set(copied.map(keyOf));
  if (rows.kind === 'whole') return copied;
  const gone = new Set((rows.gone === null ? [] : readRows(rows.gone, key)).map(keyOf));
  return [...before.filter((row) => !now.has(keyOf(row)) && !gone.has(keyOf(row))), ...copied];
}

/** Of some rows those that others have not, as often as they have them. */
function missing(rows: readonly SinkRow[], others: readonly SinkRow[]): readonly SinkRow[] {
  const there = others.map((row) => JSON.stringify(row));
  return rows.filter((row) => {
    const at = there.indexOf(JSON.stringify(row));
    if (at >= 0) there.splice(at, 1);
    return at < 0;
  });
}

function namesOf({ columns }: SinkTable): readonly string[] {
  return columns.map(({ name }) => name);
}

/** The CSV that COPY of PostgreSQL reads: nothing is NULL, and `""` text without characters. */
function readRows(path: string, names: readonly string[]): readonly SinkRow[] {
  const records = parse(readFileSync(path), {
    skip_empty_lines: false,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  }) as readonly (readonly (string | null)[])[];
  return records.map((values) => Object.fromEntries(names.map((name, at) => [name, values[at] ?? null])));
}
