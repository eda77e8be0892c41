import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { substituted } from './by-api.ts';
import { worldOf } from './made.ts';
import { makerOf } from './provision.ts';
import { resolve, type Template } from './template.ts';

const template: Template = {
  Resources: {
    Bucket: { Type: 'AWS::S3::Bucket' },
    Queue: { Type: 'AWS::SQS::Queue' },
    Logs: { Type: 'AWS::Logs::LogGroup' },
    Later: { Type: 'AWS::S3::Bucket' },
  },
};
const made = new Map([
  ['Bucket', 'my-bucket'],
  ['Queue', 'https://sqs/123456789012/my-queue'],
  ['Logs', '/aws/lambda/f'],
]);
const world = worldOf('my-stack', template, made);

const VALUES: readonly (readonly [string, unknown, unknown])[] = [
  ['plain values', { a: [1, true, null, 'x'] }, { a: [1, true, null, 'x'] }],
  ['Ref', { Ref: 'Bucket' }, 'my-bucket'],
  ['pseudo parameters', [{ Ref: 'AWS::AccountId' }, { Ref: 'AWS::StackName' }], ['123456789012', 'my-stack']],
  ['Fn::GetAtt', { 'Fn::GetAtt': ['Bucket', 'Arn'] }, 'arn:aws:s3:::my-bucket'],
  ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:aws:sqs:eu-central-1:123456789012:my-queue'],
  [
    'an ARN of its own form',
    { 'Fn::GetAtt': ['Logs', 'Arn'] },
    'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/f:*',
  ],
  ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Bucket' }, 'b']] }, 'a-my-bucket-b'],
  [
    'Fn::Sub',
    { 'Fn::Sub': '${Bucket} ${Bucket.Arn} ${AWS::Region} ${!kept}' },
    'my-bucket arn:aws:s3:::my-bucket eu-central-1 ${kept}',
  ],
  ['Fn::Sub with names', { 'Fn::Sub': ['${a}/${Bucket}', { a: { Ref: 'AWS::Region' } }] }, 'eu-central-1/my-bucket'],
  ['Fn::Select of Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'Bucket' }] }] }, 'bucket'],
  ['AWS::NoValue', { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, { b: [1] }],
  ['a field called Ref among others', { Ref: 'Bucket', other: 1 }, { Ref: 'Bucket', other: 1 }],
];

describe('intrinsic functions', () => {
  for (const [name, value, expected] of VALUES) {
    it(name, () => assert.deepEqual(resolve(value, world), expected));
  }

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['what was not made', { Ref: 'Later' }, /Ref Later/],
    ['what is not there', { 'Fn::GetAtt': ['Nothing', 'Arn'] }, /Nothing\.Arn/],
    ['an unknown attribute', { 'Fn::GetAtt': ['Bucket', 'Colour'] }, /Bucket\.Colour/],
    ['an unknown function', { 'Fn::Cidr': [] }, /Fn::Cidr/],
    ['an index beyond the list', { 'Fn::Select': [3, ['a']] }, /Fn::Select/],
  ];
  for (const [name, value, says] of refused) {
    it(`refuses ${name}`, () => assert.throws(() => resolve(value, world), says));
  }
});

describe('making resources', () => {
  it('says for each type who makes it', () => {
    assert.equal(makerOf('AWS::S3::Bucket'), 'cloudformation');
    assert.equal(makerOf('AWS::Glue::Database'), 'api');
    assert.equal(makerOf('AWS::Lambda::EventSourceMapping'), 'harness');
  });

  it('names a type that nobody makes', () =>
    assert.throws(() => makerOf('AWS::Macie::Session'), /AWS::Macie::Session/));

  it('fills a definition in, and refuses a placeholder without a value', () => {
    assert.equal(substituted('{"Resource":"${A}","Path":"$.x"}', { A: 'arn' }), '{"Resource":"arn","Path":"$.x"}');
    assert.throws(() => substituted('${B}', { A: 'arn' }), /\$\{B\}/);
  });
});
