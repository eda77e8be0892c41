import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explainPostgres } from '../../../lib/adapters/postgres/client.ts';
import { createPlaces } from '../../../lib/sql/postgres/books.ts';
import { createMemorySink } from '../../ports/memory-sink.ts';
import { sinkContract } from '../../ports/sink-contract.ts';

sinkContract('a sink in memory', async () => {
  const { sink, tables } = createMemorySink();
  return {
    sink,
    schema: 's',
    rows: async (table) =>
      tables
        .get(`s.${table}`)
        ?.map((row) => Object.values(row))
        .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
});

test('a schema that is there is not made, for which a right on the database would be needed', () => {
  const namesOf = (there: boolean): readonly string[] => createPlaces('hr', there).map(({ name }) => name);
  assert.deepEqual(namesOf(true), ['turn of the first', 'book']);
  assert.deepEqual(namesOf(false), ['turn of the first', 'schema', 'book']);
});

describe('what a server says', () => {
  const DUPLICATE = { code: '23505', message: 'duplicate key value', detail: 'Key (name)=(Ann) already exists.' };
  const CASES: readonly (readonly [
    what: string,
    hidesValues: boolean,
    cause: object,
    name: 'InvalidInput' | 'Unavailable',
    said: string,
  ])[] = [
    [
      'with its detail',
      false,
      DUPLICATE,
      'InvalidInput',
      'refuses copy: duplicate key value (Key (name)=(Ann) already exists.) (23505)',
    ],
    ['without values that are personal', true, DUPLICATE, 'InvalidInput', 'refuses copy: duplicate key value (23505)'],
    [
      'of a value that is personal',
      true,
      { code: '22P02', message: 'invalid input syntax for type integer: "Ann"' },
      'InvalidInput',
      'refuses copy: its words may quote a personal value, and are withheld (22P02)',
    ],
    [
      'of a function of its own',
      true,
      { code: 'P0001', message: 'no Ann here' },
      'InvalidInput',
      'refuses copy: its words may quote a personal value, and are withheld (P0001)',
    ],
    [
      'of any other value',
      false,
      { code: '22P02', message: 'invalid: "Ann"' },
      'InvalidInput',
      'refuses copy: invalid: "Ann" (22P02)',
    ],
    [
      'without who logs in',
      false,
      { code: '53300', message: 'too many connections for role "ann"' },
      'Unavailable',
      ', at copy: too many connections for role (53300)',
    ],
    [
      'without where',
      false,
      { code: '42501', message: 'permission denied for database sales' },
      'InvalidInput',
      'refuses copy: permission denied for database (42501)',
    ],
    [
      'without its host',
      false,
      { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: 'Host: db.example.com. is not in the names' },
      'InvalidInput',
      'cannot be used at copy: its certificate is that of another host (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
  ];
  for (const [what, hidesValues, cause, name, said] of CASES) {
    test(`is told ${what}`, () => {
      const error = explainPostgres({ secret: 'REPORTS', hidesValues }, 'copy', cause);
      const where = 'the PostgreSQL of the secret REPORTS';
      assert.deepEqual([error.name, error.message], [name, `${where}${said.startsWith(',') ? '' : ' '}${said}`]);
    });
  }
});
