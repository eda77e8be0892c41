import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { matchesPattern } from './event-pattern.ts';
import { functionsReached, objectCreated, queueBatch, twiceOutOfOrder } from './events.ts';
import { worldOf } from './made.ts';
import type { Template } from './template.ts';

const event = objectCreated({ bucket: 'bronze', key: 'bronze/hr/people/a.csv', size: 3, etag: '"e"' }, new Date(0));

const PATTERNS: readonly (readonly [string, object, boolean])[] = [
  ['equal values', { source: ['aws.s3'], 'detail-type': ['Object Created'] }, true],
  ['one of several values', { source: ['aws.ec2', 'aws.s3'] }, true],
  ['another value', { source: ['aws.ec2'] }, false],
  ['a value in a list of the event', { resources: ['arn:aws:s3:::bronze'] }, true],
  ['a prefix', { detail: { object: { key: [{ prefix: 'bronze/hr/' }] } } }, true],
  ['another prefix', { detail: { object: { key: [{ prefix: 'bronze/h/' }] } } }, false],
  ['a suffix', { detail: { object: { key: [{ suffix: '.csv' }] } } }, true],
  ['a number', { detail: { object: { size: [3] } } }, true],
  ['a field that is not there', { detail: { nothing: ['x'] } }, false],
  ['the absence of a field', { detail: { nothing: [{ exists: false }] } }, true],
  ['anything but a value', { source: [{ 'anything-but': ['aws.s3'] }] }, false],
  ['fields below what is not there', { other: { deep: ['x'] } }, false],
];

describe('event patterns', () => {
  for (const [name, pattern, expected] of PATTERNS) {
    it(`${expected ? 'match' : 'do not match'} ${name}`, () => assert.equal(matchesPattern(pattern, event), expected));
  }

  it('refuse a comparison that is not known', () => {
    assert.throws(() => matchesPattern({ source: [{ wildcard: '*' }] }, event), /wildcard/);
  });
});

describe('the wiring of a template', () => {
  const rule = (targets: readonly object[], state = 'ENABLED'): Template => ({
    Resources: {
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: { State: state, EventPattern: { source: ['aws.s3'] }, Targets: targets },
      },
      Queue: { Type: 'AWS::SQS::Queue' },
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] }, FunctionName: { Ref: 'Starter' } },
      },
      Starter: { Type: 'AWS::Lambda::Function' },
    },
  });
  const reached = (template: Template): readonly string[] =>
    functionsReached(
      template,
      worldOf(
        's',
        template,
        new Map([
          ['Queue', 'q'],
          ['Starter', 'starter'],
        ]),
      ),
      event,
    );
  const queue = { Arn: { 'Fn::GetAtt': ['Queue', 'Arn'] } };

  it('goes by way of the queue to the function', () => assert.deepEqual(reached(rule([queue])), ['starter']));
  it('goes nowhere by a rule that is off', () => assert.deepEqual(reached(rule([queue], 'DISABLED')), []));
  it('goes straight to what is no queue', () => assert.deepEqual(reached(rule([{ Arn: 'arn:f' }])), ['arn:f']));
});

describe('deliveries', () => {
  const cases: readonly (readonly [readonly string[], readonly (readonly string[])[]])[] = [
    [[], []],
    [['a'], [['a'], ['a']]],
    [
      ['a', 'b', 'c'],
      [['c'], ['b', 'a'], ['a'], ['c', 'b']],
    ],
  ];
  for (const [messages, batches] of cases) {
    it(`of ${messages.length} messages bring each twice`, () => assert.deepEqual(twiceOutOfOrder(messages), batches));
  }

  it('have the form of the queue', () => {
    const batch = queueBatch('arn:q', [{ messageId: '1', body: '{}' }], new Date(7)) as { Records: object[] };
    const { attributes, ...record } = batch.Records[0] as { attributes: object };
    assert.deepEqual(record, {
      messageId: '1',
      receiptHandle: 'receipt-1',
      body: '{}',
      messageAttributes: {},
      md5OfBody: '99914b932bd37a50b983c5e7c90ae93b',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:q',
      awsRegion: 'eu-central-1',
    });
  });
});
