import { append, type ColumnTypeText, csv, definePipeline, parquet } from '@strata-lake/strata';
import { PARTITIONED, SAMPLE_COLUMNS } from '../../sample.ts';

/** One table for every transform over every type, all from the same rows. */
export default definePipeline({
  name: 'types',
  sources: {
    sample: parquet({
      columns: {
        id: 'bigint',
        ...Object.fromEntries(Object.entries(SAMPLE_COLUMNS).map(([name, { type }]) => [name, type as ColumnTypeText])),
      },
    }),
    nothing: csv({ columns: { id: 'bigint', name: 'string', at: 'timestamp' } }),
  },
  silver: {
    ...Object.fromEntries(
      Object.entries(PARTITIONED).map(([name, partitionBy]) => [
        name,
        { from: 'sample' as const, mode: append(), partitionBy, sortBy: name === 'by_nothing' ? ['c_string'] : [] },
      ]),
    ),
    empty: { from: 'nothing', partitionBy: [{ column: 'at', transform: { kind: 'month' } }] },
  },
});
