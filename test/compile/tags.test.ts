import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

test('tags stand in the spec; a model without them has none', async () => {
  const spec = await compileShop(session, {
    definition: shopWith(['gold', 'revenue', 'tags'], ['nightly', 'team:a/b']),
  });
  assert.deepEqual(
    spec.models.map((model) => model.tags),
    [undefined, undefined, ['nightly', 'team:a/b']],
  );
});

for (const [name, tags] of [
  ['a tag with a space', ['every night']],
  ['a tag that selectors could not tell', ['a,b']],
  ['a tag twice', ['a', 'a']],
  ['a text', 'nightly'],
] as const) {
  test(`${name} is a mistake`, async () => {
    const problems = await problemsOf(session, { definition: shopWith(['silver', 'orders', 'tags'], tags) });
    assert.equal(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0]?.place ?? '', /^silver\.orders\.tags/);
    assert.match(problems[0]?.expected ?? '', /a list of words/);
  });
}
