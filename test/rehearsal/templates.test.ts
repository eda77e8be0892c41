import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replaceReferences, resolve } from './templates.ts';

const moto = { endpoint: 'http://127.0.0.1:1', region: 'eu-central-1', account: '123456789012' };
const known = new Map([
  ['Queue', 'https://queue'],
  ['Queue.Arn', 'arn:queue'],
]);

const CASES: readonly (readonly [string, unknown, unknown])[] = [
  ['plain values', { a: [1, 'x', null] }, { a: [1, 'x', null] }],
  ['pseudo parameters', { Ref: 'AWS::Region' }, 'eu-central-1'],
  ['a reference', { Ref: 'Queue' }, 'https://queue'],
  ['an attribute', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:queue'],
  ['a join', { 'Fn::Join': [':', ['a', { Ref: 'AWS::AccountId' }, { Ref: 'Queue' }]] }, 'a:123456789012:https://queue'],
  ['a substitution', { 'Fn::Sub': 'x-${AWS::Partition}-${Queue}' }, 'x-aws-https://queue'],
];

for (const [name, value, expected] of CASES) {
  test(`resolves ${name}`, () => assert.deepEqual(resolve(value, moto, known), expected));
}

test('says what it does not know instead of leaving it out', () => {
  assert.throws(() => resolve({ Ref: 'Topic' }, moto, known), /refers to Topic, which was not created/);
  assert.throws(() => resolve({ 'Fn::Cidr': [] }, moto, known), /does not know Fn::Cidr/);
});

test('replaces what is known and leaves other references to CloudFormation', () => {
  const value = { a: { 'Fn::GetAtt': ['Queue', 'Arn'] }, b: [{ Ref: 'Topic' }] };
  assert.deepEqual(replaceReferences(value, known), { a: 'arn:queue', b: [{ Ref: 'Topic' }] });
});
