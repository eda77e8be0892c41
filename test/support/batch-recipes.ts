import type { BatchRecipe } from '../../lib/core/batch-recipe.ts';

/** A recipe that numbers rows in a table and holds nothing against them, but for what is given. */
export function recipeOf(given: Partial<BatchRecipe> = {}): BatchRecipe {
  return {
    ...{
      pass: 'tables',
      keepsMapped: true,
      byShape: false,
      guarded: false,
      notesFaults: false,
      hidden: [],
      carriesHash: false,
      equalRows: null,
      memory: false,
    },
    ...{ poisoned: false, equalKeys: null, added: [] },
    ...given,
  };
}
