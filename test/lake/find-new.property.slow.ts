import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LandedFile } from '../../lib/core/run.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { findNewFiles, type Landed } from '../../lib/lake/ops/find-new.ts';
import { commitOps, writeOpsRows } from '../../lib/lake/ops/ops-tables.ts';
import type { ObjectInfo } from '../../lib/ports.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** Ledgers and listings; FIND_NEW_CASES more or fewer of them. */
const CASES = Number(process.env['FIND_NEW_CASES'] ?? 40);
const SEED = Number(process.env['FIND_NEW_SEED'] ?? Date.now() % 2 ** 31);

const columns = { id: 'int' } as const;
const PIPELINE: TestPipeline = {
  name: 'p',
  definition: definePipeline({
    name: 'p',
    sources: { s: csv({ columns, ignore: ['*.tmp'] }), t: csv({ columns, ignore: ['*.tmp'] }) },
    silver: {
      a: { from: 's', mode: append() },
      b: { from: 's', mode: append() },
      c: { from: 't', mode: append() },
    },
  }),
};
const READERS = { s: ['a', 'b'], t: ['c'] } as const;
type Source = keyof typeof READERS;

/** Few names, so that they meet; the last of the etags are of folders before their files were hashed. */
const NAMES = ['1.csv', '2 "\u{1f600}.csv', 'sub/3.csv', '4.tmp'];
const HASH = (digit: string): string => digit.repeat(64);
const ETAGS = [HASH('a'), HASH('b'), '10-1-1', '20-2-2'];
const TABLES = [null, 'p_silver.a', 'p_silver.b', 'p_silver.c'];

const source = fc.constantFrom<Source>('s', 't');
const told = fc.record({
  source,
  name: fc.constantFrom(...NAMES),
  etag: fc.constantFrom(...ETAGS),
  size: fc.constantFrom(10, 20),
  status: fc.constantFrom('ingested', 'ingested', 'ingested', 'rejected', 'suspended'),
  table: fc.constantFrom(...TABLES),
});
type Told = typeof told extends fc.Arbitrary<infer T> ? T : never;
const landed = fc.record({
  source,
  name: fc.constantFrom(...NAMES),
  etag: fc.constantFrom(...ETAGS.slice(0, 2)),
  size: fc.constantFrom(10, 20),
  former: fc.option(fc.constantFrom('10-1-1', '20-2-2', '30-3-3'), { nil: undefined }),
});
const CASE = fc.record({
  runs: fc.array(fc.array(told, { maxLength: 6 }), { maxLength: 4 }),
  landed: fc.uniqueArray(landed, { maxLength: 10, selector: (one) => `${one.source}/${one.name} ${one.etag}` }),
});

const keyOf = (one: { readonly source: Source; readonly name: string }): string => `bronze/p/${one.source}/${one.name}`;

/** A row of the ledger as it was told. */
type Said = Told & { readonly at: number; readonly run: string };

/** What comes later counts, and of one run that a file was ingested. */
function last(rows: readonly Said[]): Said | undefined {
  const late = rows.filter((row) => rows.every((other) => other.at <= row.at));
  return late.find(({ status }) => status === 'ingested') ?? late[0];
}

/** The same answer by a walk over all rows for each file. */
function reference(said: readonly Said[], files: readonly ObjectInfo[]): Omit<Landed, 'skipped'> {
  const waiting = new Map<string, LandedFile[]>(['a', 'b', 'c'].map((name) => [`silver.${name}`, []]));
  const renamed: Landed['renamed'][number][] = [];
  const aside = new Map<string, Landed['aside'][number]>();
  for (const { key, size, etag, former } of files) {
    const file = { key, size, etag };
    const named = said.filter((row) => keyOf(row) === key);
    const known = formerOf(named, { size, etag, former });
    if (known !== undefined) renamed.push({ key, before: known, after: etag });
    const rows = named.filter((row) => row.etag === (known ?? etag));
    const from = key.split('/')[2] === 's' ? 's' : 't';
    for (const name of READERS[from]) {
      const ours = last(rows.filter(({ table }) => table === null || table === `p_silver.${name}`));
      if (ours === undefined) waiting.get(`silver.${name}`)?.push(file);
      else if (ours.status !== 'ingested') {
        const id = JSON.stringify([key, etag, ours.run, ours.status]);
        const models = [...(aside.get(id)?.models ?? []), `silver.${name}`];
        const status = ours.status === 'suspended' ? 'suspended' : 'rejected';
        const [code, at] = ['C', `2026-01-0${ours.at} 00:00:00+00`];
        aside.set(id, { source: ours.source, status, code, reason: 'why', run_id: ours.run, at, file, models });
      }
    }
  }
  return { waiting, renamed, aside: [...aside.values()] };
}

function formerOf(
  named: readonly Said[],
  file: { size: number; etag: string; former?: string | undefined },
): string | undefined {
  if (file.former === undefined || named.some(({ etag }) => etag.length === 64)) return undefined;
  if (named.some(({ etag }) => etag === file.former)) return file.former;
  // By table as well, since a row for one is another than a row for all; each as it was told last.
  const groups = [...Map.groupBy(named, ({ etag, table }) => `${etag} ${table}`).values()];
  const latest = groups.flatMap((rows) => last(rows) ?? []).filter(({ size }) => size === file.size);
  return last(latest)?.etag;
}

/** One time for each run, and at one time of a file and a table no two rows that could both be its last. */
function tell(runs: readonly (readonly Told[])[]): readonly (readonly Said[])[] {
  return runs.map((rows, at) => {
    const own = rows.map((row): Said => ({ ...row, at: at + 1, run: `r${at + 1}` }));
    return [...new Map(own.map((row) => [`${row.source} ${row.name} ${row.status === 'ingested'}`, row])).values()];
  });
}

async function write(deps: StepDeps, rows: readonly Said[]): Promise<void> {
  const [run_id, pipeline] = [rows[0]?.run ?? 'none', 'p'];
  const ledger = rows.map((row) => ({
    source: row.source,
    key: keyOf(row),
    etag: row.etag,
    size: row.size,
    status: row.status,
    records: 1,
    code: 'C',
    reason: 'why',
    run_id: row.run,
    ingested_at: `2026-01-0${row.at}T00:00:00Z`,
    place: null,
    table_name: row.table,
  }));
  const run = { pipeline, run_id, dry_run: false };
  await commitOps(deps, run, 'files', await writeOpsRows(deps, { run }, 'files', ledger));
}

/** A lake with these files in bronze. */
function withListing(deps: StepDeps, files: readonly ObjectInfo[]): StepDeps {
  const { store } = deps;
  return {
    ...deps,
    store: {
      ...store,
      async *list(prefix, { ignore = () => false } = {}) {
        if (!prefix.startsWith('bronze/')) yield* store.list(prefix);
        for (const info of files) if (info.key.startsWith(prefix) && !ignore(info.key)) yield info;
      },
    },
  };
}

function isSuspended(said: readonly Said[], key: string): boolean {
  const groups = Map.groupBy(
    said.filter((row) => keyOf(row) === key),
    ({ etag, table }) => `${etag} ${table}`,
  );
  return [...groups.values()].some((rows) => last(rows)?.status === 'suspended');
}

async function findBoth(
  lake: TestLake,
  files: readonly ObjectInfo[],
  named: readonly ObjectInfo[],
): Promise<readonly [Landed, Landed]> {
  const deps = withListing(lake.deps, files);
  await using session = await deps.engine.open(deps.settings);
  const spec = await deps.specs('p');
  const rejected = true;
  return [
    await findNewFiles(deps, session, spec, { rejected }),
    await findNewFiles(deps, session, spec, { named, rejected }),
  ];
}

test(`what is new is what a walk over ledger and listing finds (${CASES} cases, seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(CASE, fc.infiniteStream(fc.boolean()), async (given, coins) => {
      const lake = await openTestLake(PIPELINE);
      try {
        const runs = tell(given.runs);
        for (const rows of runs) await write(lake.deps, rows);
        const infos = given.landed.map(({ former, ...one }): ObjectInfo => {
          return {
            key: keyOf(one),
            size: one.size,
            etag: one.etag,
            modified: 0,
            ...(former === undefined ? {} : { former }),
          };
        });
        const sorted = infos.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
        const files = sorted.filter(({ key }) => !key.endsWith('.tmp'));
        const keys = new Set([...new Set(files.map(({ key }) => key))].filter(() => coins.next().value));
        const named = sorted.filter(({ key }) => keys.has(key) || key.endsWith('.tmp'));
        const [all, some] = await findBoth(lake, sorted, named);
        const { skipped: _all, ...found } = all;
        const expected = reference(runs.flat(), files);
        assert.deepEqual(found, expected);
        // What is rejected is as well known where nobody asks for it.
        await using session = await lake.deps.engine.open(lake.deps.settings);
        const plain = await findNewFiles(withListing(lake.deps, sorted), session, await lake.deps.specs('p'));
        assert.deepEqual(plain.waiting, expected.waiting);
        const suspended = ({ status }: { readonly status: string }): boolean => status === 'suspended';
        assert.deepEqual(plain.aside.filter(suspended), expected.aside.filter(suspended));
        // Files that are suspended are looked at whether anybody names them or not.
        const near = files.filter(({ key }) => keys.has(key) || isSuspended(runs.flat(), key));
        const { skipped: _some, ...among } = some;
        assert.deepEqual(among, reference(runs.flat(), near));
      } finally {
        lake.close();
      }
    }),
    { numRuns: CASES, seed: SEED },
  );
});
