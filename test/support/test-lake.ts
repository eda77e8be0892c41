import { rmSync } from 'node:fs';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { compilePipeline } from '../../lib/compile/compile.ts';
import type { ObjectVersion } from '../../lib/core/objects.ts';
import type { RunResult } from '../../lib/core/run.ts';
import type { PipelineSpec } from '../../lib/core/spec.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import type { Catalog, ObjectStore, Row } from '../../lib/ports.ts';
import type { RunAnswer, RunRequest } from '../../lib/remote/run-request.ts';
import { runPipeline } from '../../lib/runtime/local.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { createMemoEngine } from './memo-engine.ts';
import { createTestEngine, EMPTY, makeScratch, readingSession } from './test-engine.ts';

/** A lake in memory with a clock that moves one second per look and ids that count, so that every run is repeatable. */
export type TestLake = {
  readonly deps: StepDeps;
  readonly store: ObjectStore;
  readonly scratch: string;
  land(source: string, file: string, content: string | Uint8Array): Promise<void>;
  /** The run's result; throws when nothing was to do or the lock is held. */
  run(request?: Partial<RunRequest>): Promise<RunResult>;
  answer(request?: Partial<RunRequest>): Promise<RunAnswer>;
  metadata(table: string): Promise<TableMetadata | undefined>;
  /** Rows of a table by full name, in an order of their own. */
  rows(table: string, select?: string): Promise<readonly Row[]>;
  /** The same lake, for another of its pipelines. */
  of(pipeline: string): TestLake;
  /** The same lake as another process would see it. */
  reopen(change: (deps: StepDeps) => StepDeps): TestLake;
  /** Another lake with the same objects. */
  copy(): Promise<TestLake>;
  close(): void;
};

export type TestPipeline = {
  readonly name: string;
  readonly definition: unknown;
  readonly sql?: Readonly<Record<string, string>>;
};

const engine = createTestEngine();
/** Asks `engine` once for the same, whichever lake it is of. */
const remembering = createMemoEngine(engine);

/** Compiles a pipeline; `all` are those of its folder, which it may read and follow. */
export async function compileTest(
  pipeline: TestPipeline,
  scratch: string,
  all: readonly TestPipeline[] = [pipeline],
  before: readonly string[] = [],
): Promise<PipelineSpec> {
  const path = [...before, pipeline.name];
  const compile = (name: string): Promise<PipelineSpec> => {
    const other = all.find((one) => one.name === name);
    if (other === undefined) throw new Error(`no pipeline ${name}`);
    return compileTest(other, scratch, all, path);
  };
  const session = await engine.open(readingSession());
  try {
    return await compilePipeline({
      definition: pipeline.definition,
      folder: pipeline.name,
      file: `pipelines/${pipeline.name}/pipeline.ts`,
      files: { read: async (path) => pipeline.sql?.[path] },
      session,
      empty: EMPTY,
      pipelines: { names: all.map(({ name }) => name), path, compile },
    });
  } finally {
    await session[Symbol.asyncDispose]();
  }
}

export type TestLakeOptions = {
  readonly versions?: boolean;
  /** Of the same folder. */
  readonly others?: readonly TestPipeline[];
  /** 2, so that what hangs on the order of threads shows. */
  readonly threads?: number;
  /** The engine answers from memory what any lake of this process has asked it over the same files, for tests of what happens around it. */
  readonly remember?: boolean;
};

export async function openTestLake(pipeline: TestPipeline, options: TestLakeOptions = {}): Promise<TestLake> {
  const scratch = makeScratch();
  const { others = [], threads = 2, remember = false, ...kept } = options;
  const store = createMemoryStore({ scratch, ...kept });
  const all = [pipeline, ...others];
  const specs = new Map(all.map((one) => [one.name, compileTest(one, scratch, all)]));
  const deps: StepDeps = {
    store,
    catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }),
    engine: remember ? remembering : engine,
    ...counting(Date.parse('2026-01-01T00:00:00Z') / 1000, 0),
    log: { info: () => {}, warn: () => {} },
    specs: (name) => specs.get(name) ?? Promise.reject(new Error(`no pipeline ${name}`)),
    wait: async () => {},
    isGone: () => false,
    settings: { memoryBytes: 1e9, threads, scratch, folders: [scratch], holder: () => 'test-1', leaseMs: 60_000 },
  };
  return lakeOver(pipeline.name, deps, scratch);
}

async function copyOf(name: string, deps: StepDeps): Promise<TestLake> {
  const scratch = makeScratch();
  const store = createMemoryStore({ scratch });
  for await (const { key } of deps.store.list('')) {
    await store.write(key, (await deps.store.read(key)).bytes, { kind: 'any' });
  }
  const catalog = createFileCatalog(store, { parse: parseMetadata, render: renderMetadata });
  return lakeOver(
    name,
    {
      ...deps,
      ...FORKS.get(deps.ids)?.(),
      store,
      catalog,
      settings: { ...deps.settings, scratch, folders: [scratch] },
    },
    scratch,
  );
}

/** A clock that moves a second whenever it is looked at, and ids that count. */
export function counting(start: number, first: number): Counted {
  let [second, id] = [start, first];
  const now = (): Date => {
    second += 1;
    return new Date(second * 1000);
  };
  const next = (): number => {
    id += 1;
    return id;
  };
  const ids = {
    unique: () => String(next()).padStart(6, '0'),
    uuid: () => `00000000-0000-4000-8000-${String(next()).padStart(12, '0')}`,
    snapshot: () => BigInt(next()) + 1_000_000n,
  };
  FORKS.set(ids, () => counting(second, id));
  return { clock: { now }, ids };
}

type Counted = Pick<StepDeps, 'clock' | 'ids'>;

/** How to go on counting from where ids are, without moving them: all copies of a lake count alike. */
const FORKS = new WeakMap<StepDeps['ids'], () => Counted>();

function lakeOver(name: string, deps: StepDeps, scratch: string): TestLake {
  const { store } = deps;
  const answer = (request: Partial<RunRequest> = {}): Promise<RunAnswer> =>
    runPipeline(deps, { pipeline: name, retryIntervalMs: 0, ...request });
  return {
    deps,
    store,
    scratch,
    answer,
    async land(source, file, content) {
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      await store.write(`bronze/${name}/${source}/${file}`, bytes, { kind: 'any' });
    },
    async run(request) {
      const given = await answer(request);
      if (given.kind !== 'ended') throw new Error(`the run did not end: ${JSON.stringify(given)}`);
      return given.result;
    },
    async metadata(table) {
      return (await loadTable(deps.catalog, parseTableName(table)))?.metadata;
    },
    rows: (table, select) => readRows(deps.catalog, store, table, select),
    of: (pipeline) => lakeOver(pipeline, deps, scratch),
    reopen: (change) => lakeOver(name, change(deps), scratch),
    copy: () => copyOf(name, deps),
    close: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

async function readRows(
  catalog: Catalog,
  store: ObjectStore,
  table: string,
  select = 'SELECT * FROM t ORDER BY ALL',
): Promise<readonly Row[]> {
  const entry = await loadTable(catalog, parseTableName(table));
  if (entry === undefined) throw new Error(`no table ${table}`);
  const session = await engine.open(readingSession());
  const columns = columnsOf(currentSchema(entry.metadata));
  const files = await openTable(store, session, { schema: 'main', table: 't' }, entry.metadata, columns);
  try {
    return await session.rows({ name: 'rows', text: userSql(select) });
  } finally {
    await session[Symbol.asyncDispose]();
    await files[Symbol.asyncDispose]();
  }
}

/** The key of what a store is asked to lend. */
export function keyOf(object: string | ObjectVersion): string {
  return typeof object === 'string' ? object : object.key;
}
