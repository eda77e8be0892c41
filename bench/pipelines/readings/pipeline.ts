import { append, definePipeline, identity, parquet } from '@strata-lake/strata';

/** Many partitions, of which a run touches one, and columns of which gold needs a part. */
export default definePipeline({
  name: 'readings',
  sources: {
    readings: parquet({
      columns: {
        id: 'bigint',
        place: 'string',
        heat: 'double',
        wind: 'double',
        rain: 'double',
        raw_heat: 'double',
        raw_wind: 'double',
        note: 'string',
      },
    }),
  },
  silver: { readings: { from: 'readings', mode: append(), partitionBy: [identity('place')] } },
  gold: { places: { sql: 'places.sql', partitionBy: [identity('place')], refresh: 'touched' } },
});
