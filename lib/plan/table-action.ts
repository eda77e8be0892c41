import { mergesOnRead } from '../core/keyed.ts';
import type { SilverModel } from '../core/spec.ts';

/** `check`: nothing is written but that it was checked; `describe`: but what its columns are. */
export type TableAction =
  | 'create'
  | 'append'
  | 'replace partitions'
  | 'replace'
  | 'merge'
  | 'merge on read'
  | 'check'
  | 'describe';

/** What is done to a silver table that is there. */
export function actionOf(model: Pick<SilverModel, 'mode'>): TableAction {
  switch (model.mode.kind) {
    case 'append':
      return 'append';
    case 'replace':
      return 'replace partitions';
    case 'full':
      return 'replace';
    case 'upsert':
    case 'scd2':
      return mergesOnRead(model) ? 'merge on read' : 'merge';
  }
}
