import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LockHeld } from '../../lib/core/errors.ts';
import type { Column } from '../../lib/core/types.ts';
import type { Sink, SinkOutcome, SinkRows, SinkRun, SinkTable } from '../../lib/ports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A sink with a schema of its own, which is empty, and how to look into it: rows as text, in their order. */
export type OpenedSink = {
  readonly sink: Sink;
  readonly schema: string;
  rows(table: string): Promise<readonly (readonly (string | null)[])[] | undefined>;
};

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'note', type: { kind: 'string' } },
];

export type GivenTable = Partial<Omit<SinkTable, 'rows'>> & {
  /** The CSV, and that of the keys that are gone. */
  readonly whole?: string;
  readonly changes?: string;
  readonly gone?: string;
};

let files = 0;

/** A table of two columns; `served` notes of which snapshot a sink says that it has the rows. */
export function tableOf(given: GivenTable, served: (string | null)[] = []): SinkTable {
  const { whole, changes, gone, ...own } = given;
  const write = (text: string): string => {
    files += 1;
    const path = join(folder, `${files}.csv`);
    writeFileSync(path, text);
    return path;
  };
  const rows = (): SinkRows => {
    if (whole !== undefined) return { kind: 'whole', path: write(whole) };
    if (changes === undefined) return { kind: 'unchanged' };
    return { kind: 'changes', path: write(changes), gone: gone === undefined ? null : write(gone) };
  };
  return {
    ...{ name: 't', columns: COLUMNS, mode: 'merge', key: ['id'], keep: 0, truncate: false, snapshot_id: '1' },
    ...own,
    rows: async (last) => {
      served.push(last);
      return rows();
    },
  };
}

const folder = temporaryFolder('sink-contract');

export function runOf(run_id: string, schema: string, ...tables: readonly SinkTable[]): SinkRun {
  return { pipeline: 'shop', run_id, schema, tables, requireHeld: async () => {} };
}

const outcome = (how: SinkOutcome['how'], rows: number, snapshot_id = '1', name = 't'): SinkOutcome => ({
  ...{ name, how, rows, snapshot_id },
});

/** What every sink does. */
export function sinkContract(name: string, open: () => Promise<OpenedSink>): void {
  test(`${name}: makes a table with all rows, NULL apart from text without characters`, async () => {
    const { sink, schema, rows } = await open();
    const served: (string | null)[] = [];
    const table = tableOf({ whole: '1,"a"\n2,\n3,""\n4,"x,""y""\n\\."\n' }, served);
    assert.deepEqual(await sink.publish(runOf('r1', schema, table)), [outcome('whole', 4)]);
    assert.deepEqual(served, [null]);
    assert.deepEqual(await rows('t'), [
      ['1', 'a'],
      ['2', null],
      ['3', ''],
      ['4', 'x,"y"\n\\.'],
    ]);
  });

  test(`${name}: merges what has changed since what it has, and deletes what is gone`, async () => {
    const { sink, schema, rows } = await open();
    await sink.publish(runOf('r1', schema, tableOf({ whole: '1,"a"\n2,"b"\n3,"c"\n', snapshot_id: '7' })));
    const served: (string | null)[] = [];
    const changes = { changes: '2,"B"\n4,\n', gone: '3\n', snapshot_id: '8' };
    assert.deepEqual(await sink.publish(runOf('r2', schema, tableOf(changes, served))), [outcome('changes', 2, '8')]);
    assert.deepEqual(served, ['7']);
    assert.deepEqual(await rows('t'), [
      ['1', 'a'],
      ['2', 'B'],
      ['4', null],
    ]);
    const only = tableOf({ changes: '5,"e"\n', snapshot_id: '9' });
    await sink.publish(runOf('r3', schema, only));
    assert.equal((await rows('t'))?.length, 4);
    // All rows again, of which one key is gone.
    await sink.publish(runOf('r4', schema, tableOf({ whole: '1,"a"\n5,"E"\n', snapshot_id: '10' })));
    assert.deepEqual(await rows('t'), [
      ['1', 'a'],
      ['5', 'E'],
    ]);
  });

  test(`${name}: replaces, appends, and leaves as it is what has not changed`, async () => {
    const { sink, schema, rows } = await open();
    const unkeyed = { key: [], columns: COLUMNS } as const;
    const replaced = (own: GivenTable): SinkTable => tableOf({ ...unkeyed, name: 'r', mode: 'replace', ...own });
    const appended = (own: GivenTable): SinkTable => tableOf({ ...unkeyed, name: 'a', mode: 'append', ...own });
    await sink.publish(
      runOf('r1', schema, replaced({ whole: '1,"a"\n1,"a"\n' }), appended({ whole: '1,"a"\n1,"a"\n' })),
    );
    await sink.publish(runOf('r2', schema, replaced({ whole: '2,"b"\n' }), appended({ changes: '1,"a"\n2,\n' })));
    assert.deepEqual(await rows('r'), [['2', 'b']]);
    const all = [
      ['1', 'a'],
      ['1', 'a'],
      ['1', 'a'],
      ['2', null],
    ];
    assert.deepEqual(await rows('a'), all);
    // Of all rows come those that are not there, as often as they are not.
    const whole = '1,"a"\n1,"a"\n1,"a"\n1,"a"\n2,\n3,"c"\n';
    const outcomes = await sink.publish(runOf('r3', schema, replaced({}), appended({ whole })));
    assert.deepEqual(outcomes, [outcome('unchanged', 0, '1', 'r'), outcome('whole', 6, '1', 'a')]);
    assert.deepEqual(await rows('r'), [['2', 'b']]);
    assert.deepEqual(await rows('a'), [...all.slice(0, 3), ['1', 'a'], ['2', null], ['3', 'c']]);
  });

  test(`${name}: serves a run once, however often it is asked`, async () => {
    const { sink, schema, rows } = await open();
    const table = { mode: 'append', key: [], snapshot_id: '3' } as const;
    await sink.publish(runOf('r1', schema, tableOf({ ...table, whole: '1,"a"\n' })));
    for (let times = 0; times < 4; times += 1) {
      const again = runOf('r1', schema, tableOf({ ...table, changes: '1,"a"\n', snapshot_id: '4' }));
      assert.deepEqual(await sink.publish(again), [outcome('before', 1, '3')]);
    }
    assert.deepEqual(await rows('t'), [['1', 'a']]);
    // Another pipeline may have a run of that name.
    const other = { ...runOf('r1', schema, tableOf({ name: 'u', whole: '9,\n' })), pipeline: 'other' };
    assert.deepEqual(await sink.publish(other), [outcome('whole', 1, '1', 'u')]);
  });

  test(`${name}: serves nothing of a run that has lost its lock, or of which a table cannot be made`, async () => {
    const { sink, schema, rows } = await open();
    const lost = {
      ...runOf('r1', schema, tableOf({ whole: '1,\n' })),
      requireHeld: () => Promise.reject(new LockHeld('lost')),
    };
    await assert.rejects(sink.publish(lost), LockHeld);
    const broken: SinkTable = { ...tableOf({ name: 'u' }), rows: () => Promise.reject(new RangeError('no rows')) };
    await assert.rejects(sink.publish(runOf('r1', schema, tableOf({ whole: '1,\n' }), broken)), RangeError);
    assert.deepEqual([await rows('t'), await rows('u')], [undefined, undefined]);
    await sink.publish(runOf('r1', schema, tableOf({ whole: '1,\n' })));
    assert.deepEqual(await rows('t'), [['1', null]]);
  });
}
