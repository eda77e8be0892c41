import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { consumeSource } from '../../../lib/runtime/origins/consume-source.ts';

/**
 * A consumer in a process of its own, which ends when nothing has come for so long: `consumer.ts <folder> <topic> <settings as JSON>`, with
 * the brokers in KAFKA. Reading and landing are those of `strata consume`; what takes long to start is left out.
 */
const [root = '', topic = '', settings = '{}'] = process.argv.slice(2);
const deps = {
  store: createLocalStore({ root }),
  clock: { now: () => new Date() },
  wait: (ms: number) => sleep(ms),
  secret: async (name: string) => process.env[name],
};
const origin = { kind: 'kafka', brokers: 'KAFKA', topic } as const;
const source = {
  name: 'said',
  format: { kind: 'json', layout: 'lines' },
  columns: [],
  key: [],
  drift: 'ignore',
  ignore: [],
  origin,
} as const;
const consumed = await consumeSource(deps, { name: 'talk', sources: [source] }, 'said', JSON.parse(settings) as object);
console.log(JSON.stringify({ ...consumed, id: randomBytes(4).toString('hex') }));
