import { createMemorySink } from '../../ports/memory-sink.ts';
import { sinkContract } from '../../ports/sink-contract.ts';

sinkContract('a sink in memory', async () => {
  const { sink, tables } = createMemorySink();
  return {
    sink,
    schema: 's',
    rows: async (table) =>
      tables
        .get(`s.${table}`)
        ?.map((row) => Object.values(row))
        .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
});
