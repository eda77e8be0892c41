import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CommitConflict, InvalidInput } from '../../lib/core/errors.ts';
import { parseMetadata } from '../../lib/iceberg/json.ts';
import { commitAsAsked } from '../../lib/iceberg/rest-commit.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';

const TABLE = sampleMetadata();
const AT = { location: 'memory://store/silver/p/t/metadata/00000-a.metadata.json', nowMs: 1_800_000_000_000 };
/** As Java writes it. */
const SNAPSHOT =
  '{"sequence-number":1,"snapshot-id":5732132035255627592,"timestamp-ms":1800000000000,"summary":{"operation":"append","added-data-files":"1"},"manifest-list":"memory://store/silver/p/t/metadata/snap-1.avro","schema-id":0}';
const REQUIREMENTS = [
  `{"type":"assert-table-uuid","uuid":"${TABLE['table-uuid']}"}`,
  '{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}',
];
const UPDATES = [
  `{"action":"add-snapshot","snapshot":${SNAPSHOT}}`,
  '{"action":"set-snapshot-ref","ref-name":"main","snapshot-id":5732132035255627592,"type":"branch"}',
];
const asked = (requirements: readonly string[], updates: readonly string[]): string =>
  `{"identifier":{"namespace":["shown"],"name":"t"},"requirements":[${requirements}],"updates":[${updates}]}`;

describe('a commit by the REST protocol', () => {
  test('adds a snapshot, with every digit of its id, and tells where the metadata was', () => {
    const after = parseMetadata(commitAsAsked(TABLE, asked(REQUIREMENTS, UPDATES), AT));
    assert.equal(after['current-snapshot-id'], 5732132035255627592n);
    assert.deepEqual(
      after.snapshots.map(({ summary, 'manifest-list': list }) => [summary, list]),
      [[{ operation: 'append', 'added-data-files': '1' }, 'memory://store/silver/p/t/metadata/snap-1.avro']],
    );
    assert.deepEqual(
      after['metadata-log'].map((entry) => entry['metadata-file']),
      [AT.location],
    );
    const twice = asked([REQUIREMENTS[0] ?? '', REQUIREMENTS[1]?.replace('null', '5732132035255627592') ?? ''], []);
    assert.doesNotThrow(() => commitAsAsked(after, twice, AT));
  });

  test('conflicts where the table is another, or has gone on', () => {
    for (const requirement of [
      '{"type":"assert-table-uuid","uuid":"00000000-0000-4000-8000-00000000dead"}',
      '{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":1}',
    ])
      assert.throws(() => commitAsAsked(TABLE, asked([requirement], UPDATES), AT), CommitConflict);
  });

  test('changes nothing else of a table', () => {
    for (const update of [
      '{"action":"set-properties","updates":{"a":"b"}}',
      '{"action":"set-location","location":"memory://store/elsewhere"}',
      '{"action":"set-snapshot-ref","ref-name":"other","snapshot-id":1,"type":"branch"}',
      `{"action":"add-snapshot","snapshot":${SNAPSHOT.replace('append', 'merge')}}`,
    ])
      assert.throws(
        () => commitAsAsked(TABLE, asked(REQUIREMENTS, [update]), AT),
        (thrown) =>
          thrown instanceof InvalidInput && /a commit of an engine: got .*expected one snapshot/.test(thrown.message),
        update,
      );
  });
});
