import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createStack, deleteStack, nameOf } from './cloudformation.ts';
import type { Template } from './template.ts';

/** As the constructs make them; test/infra holds them to that. */
const templateOf = (name: string): Template =>
  JSON.parse(readFileSync(new URL(`../infra/snapshots/${name}.json`, import.meta.url), 'utf8')) as Template;

const STACKS = [
  ['the lake', templateOf('lake')],
  ['a pipeline', templateOf('web_shop')],
] as const;
const THEIRS = 'AWS::S3::Bucket of-somebody';

for (const [what, template] of STACKS) {
  describe(`a first deploy of ${what}`, () => {
    const ids = Object.keys(template.Resources);
    const names = Object.values(template.Resources).flatMap((one) => nameOf(one) ?? []);

    it('that fails, at whichever resource, leaves nothing, and is repeated as it was', () => {
      assert.ok(ids.length > 15 && names.length > 8);
      for (const failing of ids) {
        const taken = new Set([THEIRS]);
        const first = createStack(template, taken, (id) => (id === failing ? 'no capacity' : undefined));
        assert.deepEqual(first, { status: 'ROLLBACK_COMPLETE', resource: failing, reason: 'no capacity' });
        assert.deepEqual([...taken], [THEIRS]);
        assert.deepEqual(createStack(template, taken), { status: 'CREATE_COMPLETE' });
        assert.equal(taken.size, new Set(names).size + 1);
      }
    });

    it('in an account where a name exists fails by that name, and leaves what has it alone', () => {
      for (const name of names) {
        const taken = new Set([name, THEIRS]);
        const answer = createStack(template, taken);
        assert.equal(answer.status === 'ROLLBACK_COMPLETE' && answer.reason, `${name} already exists`);
        assert.deepEqual([...taken], [name, THEIRS]);
      }
    });
  });
}

describe('a lake that is removed', () => {
  const [[, template]] = STACKS;

  it('leaves its buckets, databases and workgroup, whose names stop a stack that would make them anew', () => {
    const taken = new Set<string>();
    createStack(template, taken);
    deleteStack(template, taken);
    const types = [...taken].map((name) => name.split(' ')[0]);
    assert.deepEqual([...new Set(types)].sort(), ['AWS::Athena::WorkGroup', 'AWS::Glue::Database', 'AWS::S3::Bucket']);
    const again = createStack(template, taken);
    assert.match(again.status === 'ROLLBACK_COMPLETE' ? again.reason : '', /already exists$/);
  });

  it('would stop a repeated first deploy too, were it retained whatever becomes of its stack', () => {
    const retained = Object.entries(template.Resources).map(([id, one]) => {
      const { DeletionPolicy } = one;
      return [id, DeletionPolicy === 'RetainExceptOnCreate' ? { ...one, DeletionPolicy: 'Retain' } : one];
    });
    const careless: Template = { Resources: Object.fromEntries(retained) };
    const taken = new Set<string>();
    createStack(careless, taken, (id) => (id === 'Queries' ? 'no capacity' : undefined));
    assert.equal(createStack(careless, taken).status, 'ROLLBACK_COMPLETE');
  });
});
