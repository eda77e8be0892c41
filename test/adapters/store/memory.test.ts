import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { type StoreUnderTest, storeContract } from '../../ports/store-contract.ts';

async function openMemory(options: { readonly versions?: boolean }): Promise<StoreUnderTest> {
  const scratch = await mkdtemp(join(tmpdir(), 'strata-memory-'));
  return {
    store: createMemoryStore({ scratch, ...options }),
    scratch,
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

storeContract('memory', () => openMemory({}), { versions: 'keeps none unless it is made with `versions`' });
storeContract('memory with versions', () => openMemory({ versions: true }));
