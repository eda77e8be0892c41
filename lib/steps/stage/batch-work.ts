import type { BatchRecipe } from '../../core/batch-recipe.ts';
import type { SilverModel } from '../../core/spec.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { CountedBatch } from '../../lake/batch/batch-files.ts';
import type { UnitContext } from '../../lake/run/unit-context.ts';
import type { Session } from '../../ports.ts';

/** A batch on its way through a model, in a session of its own. */
export type BatchWork = {
  readonly session: Session;
  readonly context: UnitContext;
  readonly model: SilverModel;
  readonly batch: CountedBatch;
  readonly recipe: BatchRecipe;
  /** The table's rows, where the batch is told apart from them. */
  readonly table?: TableMetadata;
};
