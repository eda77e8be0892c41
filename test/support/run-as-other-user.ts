import { createLocalStore } from '../../lib/adapters/store/local.ts';

/** Lists a lake's bronze as a user who owns none of it, and borrows a file that this user may not read. */
const [, , root = ''] = process.argv;
process.setgroups?.([]);
process.setgid?.(65_534);
process.setuid?.(65_534);

const store = createLocalStore({ root, readOnly: true });
const keys: string[] = [];
const skipped: string[] = [];
for await (const { key } of store.list('bronze/', {
  skipped: ({ name, reason }) => skipped.push(`${name}: ${reason}`),
})) {
  keys.push(key);
}
const borrowed = await store.borrow([{ key: 'bronze/shop/orders/secret.csv', etag: 'e' }]);
process.stdout.write(JSON.stringify({ keys, skipped, changed: [...borrowed.changed] }));
