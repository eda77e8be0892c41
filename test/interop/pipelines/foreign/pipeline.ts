import { append, definePipeline, identity, json } from '@strata-lake/strata';

/** A table to which PyIceberg adds a file as it is. */
export default definePipeline({
  name: 'foreign',
  sources: {
    orders: json({
      layout: 'lines',
      columns: {
        id: { type: 'bigint', required: true },
        kind: 'string',
        note: 'string',
        x: 'double',
        tags: 'list<struct<k: string, v: int>>',
      },
    }),
  },
  silver: { orders: { from: 'orders', mode: append({ dedupe: { key: 'id' } }), partitionBy: [identity('kind')] } },
});
