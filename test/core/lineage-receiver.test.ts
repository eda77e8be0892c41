import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReceiver } from '../../lib/core/lineage-receiver.ts';

test('who receives lineage: an address in which no key can stand, or a bus', () => {
  const good = [
    'https://marquez.example.com',
    'http://127.0.0.1:5000/api',
    'eventbridge:lake',
    'eventbridge:arn:aws:events:eu-central-1:123456789012:event-bus/lake',
  ];
  const bad = [
    'marquez',
    'https://me:hidden@x',
    'https://x/in?api_key=hidden',
    'https://x/#hidden',
    'https://a b',
    'eventbridge:',
  ];
  assert.deepEqual(
    good.filter((to) => !isReceiver(to)),
    [],
  );
  assert.deepEqual(bad.filter(isReceiver), []);
});
