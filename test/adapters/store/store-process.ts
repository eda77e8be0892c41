import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { bytesOf, increment } from '../../ports/store-contract.ts';

/** One of several processes that use a local store at once: `<job> <root> <number>`; prints its result as JSON. */
const [job = '', root = '', number = ''] = process.argv.slice(2);
const store = createLocalStore({ root });

switch (job) {
  case 'race': {
    const won: string[] = [];
    for (let round = 0; round < 40; round += 1) {
      const key = `ops/race/${round}`;
      const outcome = await store.write(key, bytesOf(number), { kind: 'absent' });
      if (outcome.kind === 'written') won.push(key);
    }
    await increment(store, 'ops/counter', 25);
    process.stdout.write(JSON.stringify(won));
    break;
  }
  case 'count':
    await increment(store, 'ops/counter', 25);
    break;
  default:
    throw new Error(`no such job: ${job}`);
}
