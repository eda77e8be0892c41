import { csv, definePipeline, scd2 } from '@strata-lake/strata';

export default definePipeline({
  name: 'prices',
  sources: {
    prices: csv({
      columns: { item: { type: 'string', required: true }, seq: { type: 'int', required: true }, price: 'int' },
    }),
  },
  silver: {
    prices: {
      from: 'prices',
      mode: scd2({ key: 'item', sequence: 'seq' }),
      expect: { cheap: { condition: 'price < 300', policy: 'warn' } },
    },
  },
});
