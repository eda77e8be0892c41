import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { storeContract } from '../../ports/store-contract.ts';

storeContract('memory', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'strata-memory-'));
  return {
    store: createMemoryStore({ scratch }),
    scratch,
    close: () => rm(scratch, { recursive: true, force: true }),
  };
});
