import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { gateFolder } from '../../lib/lake/gate/gate-folder.ts';
import { runFolder, writeJson } from '../../lib/lake/run/run-folder.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { carryOut } from '../../lib/remote/carry-out.ts';
import { makeScratch } from '../support/test-engine.ts';

const run = { pipeline: 'shop', run_id: 'r1', dry_run: false };

function deployed({ listens }: { readonly listens: boolean }) {
  const store = createMemoryStore({ scratch: makeScratch() });
  const said: JsonValue[] = [];
  const end = async (): Promise<void> => writeJson(store, runFolder.result(run), { status: 'SUCCEEDED' });
  let ends = true;
  const deps = {
    store,
    ids: { unique: () => 'u' },
    wake: async (token: string) => {
      said.push(`wake ${token}`);
      return listens;
    },
    executions: {
      start: async (name: string, input: JsonValue) => {
        said.push([name, input]);
        return 'started' as const;
      },
    },
    wait: async () => {
      if (ends) await end();
    },
  };
  return { deps, said, end, never: () => (ends = false) };
}

test('the execution that waits for a decision is woken, and its result is the answer', async () => {
  const { deps, said } = deployed({ listens: true });
  await writeJson(deps.store, gateFolder.bell(run), { token: 't' });
  assert.equal((await carryOut(deps, run))?.status, 'SUCCEEDED');
  assert.deepEqual(said, ['wake t']);
  // Whoever asks again asks nobody for anything.
  assert.equal((await carryOut(deps, run))?.status, 'SUCCEEDED');
  assert.deepEqual(said, ['wake t']);
});

test('where nobody waits any more, or ever did, another execution goes on with the run', async () => {
  const started = ['r1-decided-u', { pipeline: 'shop', run_id: 'r1', dry_run: false, wait: true }];
  const gone = deployed({ listens: false });
  await writeJson(gone.deps.store, gateFolder.bell(run), { token: 't' });
  await carryOut(gone.deps, run);
  assert.deepEqual(gone.said, ['wake t', started]);
  const never = deployed({ listens: true });
  never.never();
  assert.equal(await carryOut(never.deps, run), undefined);
  assert.deepEqual(never.said, [started]);
});
