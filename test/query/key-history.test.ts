import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { type KeyHistory, readKeyHistory } from '../../lib/query/key-history.ts';
import { keyOf, openTestLake, type TestLake } from '../support/test-lake.ts';
import { PEOPLE, STAFF } from './staff.ts';

let lake: TestLake;

/** In two files: a late event, a repetition, a tie, deletes of something and of nothing, a key of its own. */
const FIRST = [
  '7,DE,2026-01-10,cook,a,U',
  '7,DE,2026-01-20,cook,b,U',
  '7,DE,2026-02-01,,,D',
  '7,DE,2026-02-05,,,D',
  '7,DE,2026-03-01,baker,c,U',
  '7,FR,2026-01-01,waiter,d,U',
];
const SECOND = ['7,DE,2026-01-05,clerk,e,U', '7,DE,2026-01-20,cook,b,U', '7,DE,2026-03-01,,,D'];

before(async () => {
  lake = await openTestLake(STAFF);
  const others = Array.from({ length: 40 }, (_, i) => `${100 + i},DE,2026-01-01,cook,x,U`);
  await lake.land('people', '1.csv', `${PEOPLE}${[...FIRST, ...others].join('\n')}\n`);
  await lake.land('people', '2.csv', `${PEOPLE}${SECOND.join('\n')}\n`);
  await lake.land('prices', '1.csv', 'item,at,price\na,2026-01-01 00:00:00,1.00\nb,2026-01-01 00:00:00,2.00\n');
  await lake.land('prices', '2.csv', 'item,at,price\nb,2026-01-02 00:00:00,2.00\n');
  await lake.land('prices', '3.csv', 'item,at,price\na,2026-01-03 00:00:00,1.00\nb,2026-01-03 00:00:00,2.50\n');
  const result = await lake.run();
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
});
after(() => lake.close());

/** `sequence op file won effect version` of each event. */
function eventLines({ events }: KeyHistory): readonly string[] {
  return events.map(({ sequence, op, source_file, won, effect, version }) =>
    [sequence, op, source_file.split('/').at(-1), won ? 'won' : 'lost', effect, version ?? '-'].join(' '),
  );
}

function versionLines({ versions }: KeyHistory): readonly string[] {
  return versions.map(({ version, valid_from, valid_to, is_current, columns }) =>
    [version, valid_from, valid_to, is_current, columns['job'] ?? columns['price'], columns['note']].join(' '),
  );
}

describe('the events and the versions of a key', () => {
  test('scd2 by a composite key: late, repeated, tied and deleting events', async () => {
    const found = await readKeyHistory(lake.deps, 'staff_silver.people', ['7', 'DE']);
    assert.deepEqual(found.key, { id: 7, country: 'DE' });
    assert.deepEqual(eventLines(found), [
      '2026-01-05 upsert 2.csv won starts 1',
      '2026-01-10 upsert 1.csv won starts 2',
      '2026-01-20 upsert 1.csv won continues 2',
      '2026-01-20 upsert 2.csv won repeats 2',
      '2026-02-01 delete 1.csv won ends 2',
      '2026-02-05 delete 1.csv won none -',
      '2026-03-01 delete 2.csv won none -',
      '2026-03-01 upsert 1.csv lost lost -',
    ]);
    assert.deepEqual(versionLines(found), [
      '1 2026-01-05 2026-01-10 false clerk e',
      '2 2026-01-10 2026-02-01 false cook b',
    ]);
    assert.deepEqual(found.events[0]?.columns, { job: 'clerk', note: 'e', op: 'U' });
  });

  test('the other half of a composite key is another key', async () => {
    const found = await readKeyHistory(lake.deps, 'STAFF_silver.people', ['7', 'FR']);
    assert.deepEqual(eventLines(found), ['2026-01-01 upsert 1.csv won starts 1']);
    assert.deepEqual(versionLines(found), ['1 2026-01-01  true waiter d']);
  });

  test('upsert: the latest event is the row, or deletes it', async () => {
    const gone = await readKeyHistory(lake.deps, 'staff_silver.people_now', ['7', 'DE']);
    assert.deepEqual(gone.versions, []);
    assert.deepEqual(eventLines(gone).slice(-2), [
      '2026-03-01 delete 2.csv won ends -',
      '2026-03-01 upsert 1.csv lost lost -',
    ]);
    assert.match(eventLines(gone)[0] ?? '', /^2026-01-05 upsert 2\.csv won superseded -/);
    const there = await readKeyHistory(lake.deps, 'staff_silver.people_now', ['100', 'DE']);
    assert.deepEqual(eventLines(there), ['2026-01-01 upsert 1.csv won starts 1']);
    assert.deepEqual(versionLines(there), ['1   true cook x']);
  });

  test('a full extract that lacks the key is an event of its own', async () => {
    const found = await readKeyHistory(lake.deps, 'staff_silver.prices', ['a']);
    assert.deepEqual(eventLines(found), [
      '2026-01-01 00:00:00 upsert 1.csv won starts 1',
      '2026-01-02 00:00:00 missing 2.csv won ends 1',
      '2026-01-03 00:00:00 upsert 3.csv won starts 2',
    ]);
    assert.equal(versionLines(found).length, 2);
    assert.equal(found.events[1]?.event_hash, null);
  });

  test('only the files of the key are read', async () => {
    const read: string[] = [];
    const watched = lake.reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        borrow: (keys) => {
          read.push(...keys.map(keyOf));
          return deps.store.borrow(keys);
        },
      },
    }));
    await readKeyHistory(watched.deps, 'staff_silver.people', ['7', 'FR']);
    assert.equal(read.length, 2, read.join('\n'));
  });
});

describe('what is no key', () => {
  const WRONG: readonly (readonly [string, string, readonly string[], RegExp])[] = [
    [
      'too few parts',
      'staff_silver.people',
      ['7'],
      /key of staff_silver\.people is id, country: got 1 value \(7\); expected 2/,
    ],
    ['too many', 'staff_silver.prices', ['a', 'b'], /is item: got 2 values \(a, b\); expected 1/],
    ['another type', 'staff_silver.people', ['x', 'DE'], /id: got "x"; expected INTEGER/],
    ['a key without events', 'staff_silver.people', ['7', 'IT'], /no event of id = 7, country = IT was ever accepted/],
    [
      'a table of another mode',
      'staff_gold.jobs',
      ['cook'],
      /staff_gold\.jobs is not keyed: .* such as staff_silver\.people,/,
    ],
    [
      'the log',
      'staff_silver.people__log',
      ['7', 'DE'],
      /is the log of a keyed table: expected staff_silver\.people itself/,
    ],
    ['no table', 'staff_silver.peple', ['7'], /did you mean staff_silver\.people\?/],
  ];
  for (const [name, table, parts, message] of WRONG) {
    test(name, async () => {
      await assert.rejects(readKeyHistory(lake.deps, table, parts), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
