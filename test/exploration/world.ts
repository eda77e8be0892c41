import { rmSync } from 'node:fs';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createGlueCatalog } from '../../lib/adapters/catalog/glue.ts';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import type { ServeSpec } from '../../lib/core/serve.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { Catalog, ObjectStore } from '../../lib/ports.ts';
import { openFakeTime } from '../adapters/catalog/glue-fake.ts';
import { createStoredSink } from '../ports/memory-sink.ts';
import { type Answers, createMemoEngine } from '../support/memo-engine.ts';
import { createTestEngine, makeScratch } from '../support/test-engine.ts';
import { compileTest, type TestPipeline } from '../support/test-lake.ts';
import { allOf } from './scheduler.ts';
import { openStoredGlue } from './stored-glue.ts';

/** The pipeline of every world: rows of silver, and a table of gold that says what they sum up to. */
const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int' } }) },
    silver: { items: { from: 'rows', mode: append() } },
    gold: { total: { sql: 'total.sql' } },
  }),
  sql: { 'total.sql': 'SELECT sum(id) AS id FROM silver.items' },
};

export const LEASE_MS = 60_000;
/** Longer than any lease, and than what maintenance asks for. */
const LATE_MS = 8 * 24 * 3_600_000;
const SECOND_MS = 1_000;
const BEGIN = Date.parse('2026-01-01T00:00:00Z');

/** Objects of a lake, each with the time when it was written. */
export type Objects = readonly { readonly key: string; readonly bytes: Uint8Array; readonly modified: number }[];

/** A lake in memory whose time passes only when it is told to. */
export type World = {
  readonly store: ObjectStore;
  readonly now: () => number;
  late(): void;
  tick(): void;
  /** The catalog for looking, over a store of its own. */
  catalog(): Catalog;
  /** What the process of an actor works with, over its own view of the store. */
  deps(actor: string, store: ObjectStore, isGone: (holder: string) => boolean): StepDeps;
  land(file: number): Promise<void>;
  objects(): Promise<Objects>;
};

/** The catalog that the tables of a world are in. */
export type CatalogKind = 'file' | 'glue';

/** What all worlds share: a folder, an engine that remembers, and the compiled pipeline. */
export type Ground = {
  readonly scratch: string;
  /** `serves`: the pipeline serves its table of gold. */
  open(objects?: Objects, now?: number, serves?: boolean): Promise<World>;
  close(): void;
};

const SERVE: ServeSpec = {
  postgres: { secret: 'S', schema: 'web', tables: [{ name: 'total', from: 'gold.total', mode: 'replace', key: [] }] },
};

const CODEC = { parse: parseMetadata, render: renderMetadata };

export async function openGround(answers?: Answers, kind: CatalogKind = 'file'): Promise<Ground> {
  const scratch = makeScratch();
  const engine = createMemoEngine(createTestEngine(), answers);
  const spec = await compileTest(SHOP, scratch);
  return {
    scratch,
    open: (objects = [], now = BEGIN, serves = false) => {
      const own = serves ? { ...spec, serve: SERVE } : spec;
      return openWorld({ scratch, engine, spec: own, kind }, objects, now);
    },
    close: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

type Shared = Pick<StepDeps, 'engine'> & {
  readonly scratch: string;
  readonly spec: PipelineSpec;
  readonly kind: CatalogKind;
};

async function openWorld({ scratch, engine, spec, kind }: Shared, objects: Objects, begin: number): Promise<World> {
  let now = begin;
  const store = createMemoryStore({ scratch, now: () => now });
  for (const { key, bytes, modified } of objects) {
    now = modified;
    await store.write(key, bytes, { kind: 'any' });
  }
  now = begin;
  return {
    store,
    now: () => now,
    catalog: () => openCatalog(kind, store, 'nobody'),
    late() {
      now += LATE_MS;
    },
    tick() {
      now += SECOND_MS;
    },
    deps: (actor, seen, isGone) => ({
      store: seen,
      catalog: openCatalog(kind, seen, actor),
      engine,
      clock: { now: () => new Date(now) },
      ids: idsOf(actor),
      log: { info: () => {}, warn: () => {} },
      specs: async () => spec,
      ...(spec.serve && { sink: () => createStoredSink(seen) }),
      wait: async () => {},
      isGone,
      settings: {
        memoryBytes: 1e9,
        threads: 1,
        scratch,
        folders: [scratch],
        holder: () => actor,
        leaseMs: LEASE_MS,
        clocksAgree: true,
      },
    }),
    async land(file) {
      await store.write(`bronze/shop/rows/${file}.csv`, new TextEncoder().encode(`id\n${file}\n`), { kind: 'any' });
    },
    async objects() {
      const found = await allOf(store.list(''));
      return Promise.all(
        found.map(async ({ key, modified }) => ({ key, modified, bytes: (await store.read(key)).bytes })),
      );
    },
  };
}

function openCatalog(kind: CatalogKind, store: ObjectStore, actor: string): Catalog {
  if (kind === 'file') return createFileCatalog(store, CODEC);
  const { wait, clock, random } = openFakeTime();
  const { uuid } = idsOf(`glue of ${actor}`);
  const client = openStoredGlue(store);
  return createGlueCatalog({ client, store, codec: CODEC, databasePrefix: '', wait, clock, random, uuid });
}

/** Each actor counts for itself, so that what it makes is the same whatever others do meanwhile. */
function idsOf(actor: string): StepDeps['ids'] {
  let last = 0;
  const next = (): number => {
    last += 1;
    return last;
  };
  const own = [...actor].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_000, 7);
  return {
    unique: () => `${actor}${String(next()).padStart(4, '0')}`,
    uuid: () => `00000000-0000-4000-8000-${String(own).padStart(6, '0')}${String(next()).padStart(6, '0')}`,
    snapshot: () => BigInt(own) * 1_000_000n + BigInt(next()),
  };
}
