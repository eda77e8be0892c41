import { countingCatalog } from '../adapters/catalog/counting.ts';
import { countingStore } from '../adapters/store/counting.ts';
import { addSpent, type Call, NOTHING_SPENT, type Spent, spentBy } from '../core/requests.ts';
import type { StepDeps } from '../lake/deps.ts';

/** What one call of a step works with: it knows what the step has asked the store and the catalog for. */
export function counted(deps: StepDeps): StepDeps {
  let total: Spent = NOTHING_SPENT;
  const note = (call: Call): void => {
    total = addSpent(total, spentBy(call));
  };
  const own: StepDeps = {
    ...deps,
    store: countingStore(deps.store, note),
    catalog: countingCatalog(deps.catalog, note),
    spent: () => total,
  };
  return { ...own, counting: () => counted(own) };
}
