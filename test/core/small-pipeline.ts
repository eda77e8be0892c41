import { csv, definePipeline } from '../../lib/define/index.ts';
import type { TestPipeline } from '../support/test-lake.ts';

/** The least that a pipeline can be. */
export const SMALL: TestPipeline = {
  name: 'small',
  definition: definePipeline({
    name: 'small',
    sources: { s: csv({ columns: { id: 'bigint' } }) },
    silver: { s: { from: 's' } },
  }),
};
