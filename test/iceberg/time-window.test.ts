import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PartitionField } from '../../lib/core/spec.ts';
import type { ColumnType } from '../../lib/core/types.ts';
import { partitionSpecOf } from '../../lib/iceberg/partition.ts';
import { schemaOf } from '../../lib/iceberg/schema.ts';
import { planWindow } from '../../lib/iceberg/time-window.ts';

const { schema } = schemaOf([
  { name: 'day', type: { kind: 'date' } },
  { name: 'at', type: { kind: 'timestamp' } },
  { name: 'seen', type: { kind: 'timestamptz' } },
  { name: 'kind', type: { kind: 'string' } satisfies ColumnType },
]);
const micros = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n;
const field = (column: string, kind: 'identity' | 'year' | 'month' | 'day' | 'hour'): PartitionField => ({
  column,
  transform: { kind },
});

type Case = {
  readonly fields: readonly PartitionField[];
  readonly from?: string;
  readonly to?: string;
  readonly inside: readonly (readonly (number | bigint | string | null)[])[];
  readonly outside: readonly (readonly (number | bigint | string | null)[])[];
};

const CASES: readonly Case[] = [
  {
    fields: [field('day', 'month')],
    from: '2026-01-01',
    to: '2026-03-01',
    inside: [[672], [673]],
    outside: [[671], [674], [null]],
  },
  { fields: [field('day', 'month')], from: '2026-02-01', inside: [[673], [999]], outside: [[672], [null]] },
  { fields: [field('at', 'year')], to: '1970-01-01', inside: [[-1], [-100]], outside: [[0], [1], [null]] },
  {
    fields: [field('seen', 'hour')],
    from: '1970-01-01T02:00Z',
    to: '1970-01-01T04:00Z',
    inside: [[2], [3]],
    outside: [[1], [4]],
  },
  { fields: [field('at', 'day')], from: '1969-12-31', to: '1970-01-02', inside: [[-1], [0]], outside: [[-2], [1]] },
  { fields: [field('day', 'identity')], from: '1970-01-02', to: '1970-01-03', inside: [[1]], outside: [[0], [2]] },
  {
    fields: [field('at', 'identity')],
    from: '1970-01-01T00:00:01Z',
    inside: [[1_000_000n]],
    outside: [[999_999n], [null]],
  },
  {
    fields: [field('kind', 'identity'), field('day', 'day')],
    from: '1970-01-02',
    inside: [['a', 1]],
    outside: [
      ['a', 0],
      ['b', null],
    ],
  },
];

const REFUSED: readonly (readonly [fields: readonly PartitionField[], from: string, reason: RegExp])[] = [
  [[], '2026-01-01', /not partitioned by a time/],
  [[field('kind', 'identity')], '2026-01-01', /not partitioned by a time/],
  [[field('day', 'month')], '2026-01-02', /partitioned by month, and 2026-01-02T00:00:00.000Z is within one/],
  [[field('at', 'hour')], '2026-01-01T00:30Z', /partitioned by hour/],
  [[field('day', 'identity')], '2026-01-01T01:00Z', /partitioned by day/],
];

describe('the partitions of a time', () => {
  for (const { fields, from, to, inside, outside } of CASES) {
    const name = fields.map(({ column, transform }) => `${transform.kind} of ${column}`).join(', ');
    test(`${name}, from ${from ?? 'the first'} to ${to ?? 'the last'}`, () => {
      const { spec } = partitionSpecOf(fields, schema);
      const planned = planWindow(spec, schema, {
        ...(from === undefined ? {} : { from: micros(from) }),
        ...(to === undefined ? {} : { to: micros(to) }),
      });
      assert.ok(planned.kind === 'window');
      assert.deepEqual([...inside, ...outside].filter(planned.holds), inside);
    });
  }

  for (const [fields, from, reason] of REFUSED) {
    test(`refused: ${reason.source}`, () => {
      const planned = planWindow(partitionSpecOf(fields, schema).spec, schema, { from: micros(from) });
      assert.ok(planned.kind === 'refused');
      assert.match(planned.reason, reason);
    });
  }
});
