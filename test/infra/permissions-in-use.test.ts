import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParquetAuditLog } from '../../lib/adapters/audit/parquet.ts';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { EXPORTS, ZONES, zoneOf } from '../../lib/core/objects.ts';
import { functionsOfRole, roleOf as roleOfFunction } from '../../lib/core/roles.ts';
import { FUNCTIONS, type FunctionName, stateRow } from '../../lib/core/states.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { runNotify } from '../../lib/steps/end/notify.ts';
import { runAwaitDecision } from '../../lib/steps/gate/await-decision.ts';
import { startRuns } from '../../lib/steps/start/start-runs.ts';
import { createMemorySink } from '../ports/memory-sink.ts';
import { keyOf, openTestLake, type TestLake } from '../support/test-lake.ts';
import { deploy, FOLLOWER, LEADER, SHOP } from './deployment.ts';
import { allows, statementsOf, statementsOfFunction } from './policies.ts';
import { ACCOUNT, at, type Fields, REGION, resourcesOf } from './resources.ts';

type Verb = 'read' | 'write' | 'remove' | 'list';
type Use = { readonly by: string; readonly verb: Verb; readonly key: string };

/** Notes what is done with the store, and by which state. */
function watch(store: ObjectStore, note: (verb: Verb, key: string) => void): ObjectStore {
  return {
    ...store,
    read: (key) => {
      note('read', key);
      return store.read(key);
    },
    head: (key, version) => {
      note('read', key);
      return store.head(key, version);
    },
    list: (prefix, options) => {
      note('list', prefix);
      return store.list(prefix, options);
    },
    names: (prefix) => {
      note('list', prefix);
      return store.names(prefix);
    },
    folders: (prefix) => {
      note('list', prefix);
      return store.folders(prefix);
    },
    write: (key, bytes, condition) => {
      note('write', key);
      // S3 asks for both where a write has to match what is there.
      if (condition.kind === 'match') note('read', key);
      return store.write(key, bytes, condition);
    },
    remove: (key) => {
      note('remove', key);
      return store.remove(key);
    },
    borrow: (objects) => {
      for (const object of objects) note('read', keyOf(object));
      return store.borrow(objects);
    },
    readRange: (object, ...range) => {
      note('read', keyOf(object));
      return store.readRange(object, ...range);
    },
    borrowParts: (objects) => {
      for (const { key } of objects) note('read', key);
      return store.borrowParts(objects);
    },
    publish: (path, key) => {
      note('write', key);
      return store.publish(path, key);
    },
  };
}

const { sink } = createMemorySink();

/** Runs of all kinds: new files, changes of keys, a dry run, a failure, a rebuild, files taken again, nothing to do. */
async function runAll(lake: TestLake, uses: Use[]): Promise<void> {
  let state = '';
  let within: FunctionName | undefined;
  let broken = false;
  const watched = lake.reopen((deps) => {
    const store = watch(deps.store, (verb, key) => {
      if (broken && state === 'Commit' && verb === 'write' && key.endsWith('/committing.json'))
        throw new InvalidInput('not today');
      // What a step does as a part of Level's call, Level has to be granted, and the step where it is called itself.
      uses.push({ by: state, verb, key });
      if (within !== undefined) uses.push({ by: within, verb, key });
    });
    const catalog = createFileCatalog(store, { parse: parseMetadata, render: renderMetadata });
    return { ...deps, store, catalog, sink: () => sink };
  });
  const onEvent: RunRequest['onEvent'] = (event) => {
    if (event.kind === 'started') [state, within] = [event.state, event.within];
  };
  const run = async (request: Partial<RunRequest> = {}): Promise<string> => {
    return (await watched.run({ ...request, onEvent })).status;
  };
  for (const day of [1, 2]) {
    await lake.land('people', `${day}.csv`, `id,at,name\n1,${day}0,a\n2,${day}0,b${day}\n`);
    await lake.land('orders', `${day}.csv`, `id,person,amount\n${day},1,1.00\n${day},2,-1.00\n`);
    assert.equal(await run(), 'SUCCEEDED');
  }
  await lake.land('orders', '3.csv', 'id,person,amount\n3,1,1.00\n');
  assert.equal(await run({ dryRun: true }), 'DRY_RUN');
  broken = true;
  assert.equal(await run(), 'FAILED');
  broken = false;
  assert.equal(await run({ rebuild: 'web_shop_silver.people' }), 'SUCCEEDED');
  assert.equal(await run({ reprocess: { source: 'people' } }), 'SUCCEEDED');
  assert.equal(await run(), 'SUCCEEDED');
  assert.equal((await watched.answer({ onEvent })).kind, 'nothing');
  await compactAll(watched, lake, onEvent);
  state = '';
  const now = {
    target: SHOP.name,
    olderThanMs: 0,
    forceRetention: true,
    ...(onEvent === undefined ? {} : { onEvent }),
  };
  const { failed } = await expireTables(watched.deps, { ...now, keep: 1 });
  state = '';
  const vacuumed = await vacuumTables(watched.deps, now);
  assert.deepEqual([...failed, ...vacuumed.failed], []);
}

/** A compaction beside which a run takes away what it reads, so that what it has written goes again; then one of all tables. */
async function compactAll(watched: TestLake, lake: TestLake, onEvent: RunRequest['onEvent']): Promise<void> {
  const asked = { pipeline: SHOP.name, retryIntervalMs: 0, ...(onEvent === undefined ? {} : { onEvent }) };
  const all = { all: true, min_files: 2 };
  let broken = true;
  const failing = watched.reopen((deps) => {
    const store: ObjectStore = {
      ...deps.store,
      async write(key, bytes, condition) {
        if (broken && key.endsWith('/committing.json') && !new TextDecoder().decode(bytes).includes('undo'))
          throw new InvalidInput('not today');
        return deps.store.write(key, bytes, condition);
      },
    };
    return { ...deps, store };
  });
  for (const table of ['silver.orders', 'gold.total']) {
    const [layer = '', name = ''] = table.split('.');
    const request = { ...asked, compact: { table: `${SHOP.name}_${layer}.${name}`, sort: ['amount'] } };
    broken = true;
    assert.equal((await compactTables(failing.deps, request)).kind, 'ended');
    broken = false;
    const answer = await compactTables(watched.deps, request);
    assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', JSON.stringify(answer));
  }
  await lake.land('orders', '9.csv', 'id,person,amount\n9,1,1.00\n');
  await lake.reopen((deps) => ({ ...deps, sink: () => sink })).run();
  const answer = await compactTables(watched.deps, { ...asked, compact: all });
  assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', JSON.stringify(answer));
}

/** What the functions outside the run's own states do with the store. */
async function startAndNotify(lake: TestLake, uses: Use[]): Promise<void> {
  const clock = { now: () => new Date('2026-01-02T00:00:00Z') };
  const depsOf = (by: FunctionName) => {
    const store = watch(lake.store, (verb, key) => uses.push({ by, verb, key }));
    const audit = createParquetAuditLog(store, SHOP.name, () => String(uses.length));
    return { store, audit, clock, log: lake.deps.log, wait: async () => {} };
  };
  const upload = { key: `bronze/${SHOP.name}/orders/a.csv`, etag: 'a' };
  for (const message of ['first', 'again']) {
    const executions = { start: async () => 'started' as const };
    await startRuns(SHOP.name, [{ message, upload }], { ...depsOf('Starter'), executions });
    const run = { pipeline: SHOP.name, run_id: 'r', dry_run: false };
    const state = { run, request: run, error: { Error: 'AuditFailed', Cause: 'x' } };
    const alerts = { publish: async () => {} };
    const awaiting = { run_id: 'r', since: '', expires_at: '', digest: '', because: [], seconds: 1 };
    const waits = { status: 'planned', run, request: run, level: 1, levels: 1, awaiting } as const;
    await runAwaitDecision({ state: waits, token: 't' }, { ...depsOf('AwaitDecision'), alerts });
    await runNotify({ state, execution: { Id: 'arn', Name: 'r', RedriveCount: 0 } }, { ...depsOf('Notify'), alerts });
  }
}

/** Before the first state and after the last, a laptop looks at the lock and the result itself. */
const OUTSIDE = ['', 'RunFailed', 'MaintainAfter'];

const ACTIONS: Readonly<Record<Verb, readonly string[]>> = {
  read: ['s3:GetObject'],
  write: ['s3:PutObject', 's3:AbortMultipartUpload'],
  remove: ['s3:DeleteObject'],
  list: ['s3:ListBucket'],
};

const lake = await openTestLake(FOLLOWER, { others: [LEADER] });
const all: Use[] = [];
try {
  await lake.of(LEADER.name).land('rows', 'a.csv', 'id\n1\n');
  await lake.of(LEADER.name).run();
  await runAll(lake, all);
  await startAndNotify(lake, all);
} finally {
  lake.close();
}

const uses = all.filter(({ by }) => !OUTSIDE.includes(by));

const { pipelines } = await deploy({ pipelines: [FOLLOWER, LEADER] });
const template = pipelines[SHOP.name] ?? assert.fail('no stack');
const leader = pipelines[LEADER.name] ?? assert.fail('no stack');
const isFunction = (name: string): name is FunctionName => FUNCTIONS.some((one) => one === name);
const roleOf = (begin: string): string =>
  resourcesOf(template, 'AWS::IAM::Role').find(({ id }) => id.startsWith(begin))?.id ?? '';
const machineRole = roleOf('RunRole');

test('every function may do with objects what runs of all kinds make it do', () => {
  const denied = new Set<string>();
  for (const { by, verb, key } of uses) {
    // The lists of a map are read by the state machine.
    const statements = isFunction(by) ? statementsOfFunction(template, by) : statementsOf(template, machineRole);
    const area = ([...ZONES, EXPORTS] as const).find((one) => key.startsWith(`${one}/`)) ?? assert.fail(key);
    const bucket = `arn:aws:s3:::strata-${zoneOf(area)}-${ACCOUNT}-${REGION}`;
    for (const action of ACTIONS[verb]) {
      const request =
        verb === 'list' ? { action, resource: bucket, prefix: key } : { action, resource: `${bucket}/${key}` };
      if (!allows(statements, request)) denied.add(`${by}: ${action} on ${key}`);
    }
  }
  assert.deepEqual([...denied], []);
  assert.deepEqual(
    [...new Set(uses.map(({ by }) => by))].filter(isFunction).sort(),
    [...FUNCTIONS].filter((name) => !OUTSIDE.includes(name)).sort(),
  );
});

const LOST_SWAP =
  'removes the metadata file that it wrote when another came first; the Glue catalog does, the file catalog not';
const DEAD_ATTEMPTS = 'removes files of attempts that died, and of partitions that another run has changed';
const LEFT_BEHIND = 'removes what a run has left whose execution was stopped: a dry run, or one that had just ended';

const LARGE_GOLD =
  'writes tables that several units compute, whose inputs are more than one worker takes; the rehearsal has one';

/** Grants that no run above needs, with what needs them. */
const RARE: Readonly<Record<string, string>> = {
  'Commit remove silver': LOST_SWAP,
  'Commit remove gold': LOST_SWAP,
  'Commit remove ops': LOST_SWAP,
  'Commit read exports': 'looks at a file that an attempt has written which died, or somebody else',
  'CommitRewrite remove silver': LOST_SWAP,
  'CommitRewrite remove gold': LOST_SWAP,
  'CommitRewrite remove ops': LOST_SWAP,
  'FinishRewrite remove silver': DEAD_ATTEMPTS,
  'FinishRewrite remove gold': DEAD_ATTEMPTS,
  'FinishRewrite remove ops': DEAD_ATTEMPTS,
  'OpenRewrite remove silver': LEFT_BEHIND,
  'OpenRewrite remove gold': LEFT_BEHIND,
  'OpenRewrite remove ops': LEFT_BEHIND,
  'Merge read gold': LARGE_GOLD,
  'Merge write gold': LARGE_GOLD,
  'Open remove silver': LEFT_BEHIND,
  'Open remove gold': LEFT_BEHIND,
  'Open remove ops': LEFT_BEHIND,
};

const OWN_SECRETS: Readonly<Record<string, string>> = { Open: 'LINEAGE_KEY', Serve: 'REPORTS_URL' };

test('who sends alerts is told the name of the secret with the webhook, and may read that one; who serves or tells of runs may read its own', () => {
  const functions = resourcesOf(template, 'AWS::Lambda::Function');
  const told = functions.flatMap(({ properties }) => {
    const variables = at(properties, 'Environment', 'Variables') as Fields;
    return variables['STRATA_WEBHOOK'] ?? [];
  });
  assert.deepEqual(told, ['slack:OPS_WEBHOOK', 'slack:OPS_WEBHOOK', 'slack:OPS_WEBHOOK']);
  const readers = FUNCTIONS.flatMap((name) =>
    statementsOfFunction(template, name)
      .filter(({ actions }) => actions.includes('secretsmanager:GetSecretValue'))
      .map(({ resources }) => [name, resources]),
  );
  const secret = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:OPS_WEBHOOK-??????`;
  assert.deepEqual(
    readers,
    [...functionsOfRole('Open'), ...functionsOfRole('Run'), 'Serve' as const]
      .toSorted((a, b) => FUNCTIONS.indexOf(a) - FUNCTIONS.indexOf(b))
      .map((name) => [name, [secret.replace('OPS_WEBHOOK', OWN_SECRETS[roleOfFunction(name)] ?? 'OPS_WEBHOOK')]]),
  );
});

test('who ends runs may tell of them on the one bus that is named', () => {
  // The pipeline that is read has those that every pipeline has.
  const there = FUNCTIONS.filter((name) => stateRow(name).only === undefined);
  const tellers = there.flatMap((name) =>
    statementsOfFunction(leader, name)
      .filter(({ actions }) => actions.includes('events:PutEvents'))
      .map(({ resources }) => [name, resources]),
  );
  const bus = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/lineage`;
  assert.deepEqual(
    tellers,
    there.filter((name) => roleOfFunction(name) === 'Open').map((name) => [name, [bus]]),
  );
});

test('no function may do more than it does', () => {
  const used = new Set(uses.map(({ by, verb, key }) => `${by} ${verb} ${key.split('/')[0]}`));
  const granted = FUNCTIONS.flatMap((name) =>
    stateRow(name).objects.flatMap(({ zone, may }) =>
      // Who reads has to list, or S3 does not say that an object is missing.
      may.filter((verb) => verb !== 'list' || !may.includes('read')).map((verb) => `${name} ${verb} ${zone}`),
    ),
  );
  assert.deepEqual(granted.filter((grant) => !used.has(grant)).sort(), Object.keys(RARE).sort());
  const ofOthers = uses.filter(({ key }) => key.split('/')[1] === LEADER.name);
  const usedOfOthers = new Set(ofOthers.map(({ by, key }) => `${by} ${key.split('/')[0]}`));
  const grantedOfOthers = FUNCTIONS.flatMap((name) => {
    const { others = [], everyones = [] } = stateRow(name);
    return [...others, ...everyones].map(({ zone }) => `${name} ${zone}`);
  });
  assert.deepEqual([...usedOfOthers].sort(), grantedOfOthers.sort());
});
