import { createMemoryCatalog } from '../../../lib/adapters/catalog/memory.ts';
import { tablePrefix } from '../../../lib/core/tables.ts';
import { catalogContract } from '../../ports/catalog-contract.ts';

catalogContract('memory', async () => ({
  catalog: createMemoryCatalog(),
  tableLocation: (id) => `memory://store/${tablePrefix(id)}`,
  close: async () => {},
}));
