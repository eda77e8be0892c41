import { createPostgresSink } from '../../../lib/adapters/postgres/sink.ts';
import { runOf, tableOf } from '../../ports/sink-contract.ts';

/** Serves a run whose rows all say which it is, `node publish-child.ts SCHEMA RUN`: a process to be killed. Says when it begins. */
const [schema = '', run = ''] = process.argv.slice(2);
const rows = Array.from({ length: 20_000 }, (_, at) => `${at},"${run}"\n`).join('');
const own = { whole: rows, snapshot_id: run } as const;
const sink = createPostgresSink({ secret: 'TEST_URL', read: async (name) => process.env[name] });
console.log('begun');
await sink.publish(
  runOf(run, schema, tableOf({ name: 'm', ...own }), tableOf({ name: 'r', mode: 'replace', key: [], keep: 1, ...own })),
);
