import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BatchRecipe } from '../../lib/core/batch-recipe.ts';
import type { ModelMode, SilverModel } from '../../lib/core/spec.ts';
import { type BatchFacts, planBatch } from '../../lib/plan/batch-recipe.ts';

const MODEL: SilverModel = {
  ...{ layer: 'silver', id: 'silver.orders', name: 'orders', from: 'orders', sql: 'SELECT * FROM batch.orders' },
  ...{ mode: { kind: 'append', dedupe: null, onDuplicate: 'drop' }, columns: [], partitionBy: [], sortBy: [] },
  ...{ expect: [], metadata: [], reads: [], joins: [], description: '' },
} as unknown as SilverModel;

const KEYED = {
  kind: 'scd2',
  key: ['id'],
  sequence: 'at',
  missing: 'keep',
  validTo: null,
  tieBreak: null,
} as unknown as ModelMode;
const BY_ROW = { kind: 'append', dedupe: { by: 'row' }, onDuplicate: 'drop' } as unknown as ModelMode;
const BY_KEY = { kind: 'append', dedupe: { by: 'key', columns: ['id'] }, onDuplicate: 'drop' } as unknown as ModelMode;
const CONDEMN = { ...BY_KEY, onDuplicate: 'condemn' } as unknown as ModelMode;
const NOTHING: BatchFacts = {
  known: false,
  memory: false,
  guarded: false,
  manyShapes: false,
  wide: false,
  final: true,
  poisoned: false,
};
const STREAM: BatchRecipe = {
  ...{
    pass: 'stream',
    keepsMapped: false,
    byShape: false,
    guarded: false,
    notesFaults: true,
    hidden: [],
    carriesHash: false,
    equalRows: null,
    memory: false,
  },
  ...{ poisoned: false, equalKeys: null, added: [] },
};
const EXPECT = [{ kind: 'row', name: 'positive', policy: 'warn', condition: 'id > 0', code: 'POSITIVE' }] as const;

/** What differs from a batch that streams. */
type Case = {
  readonly name: string;
  readonly model?: Partial<SilverModel>;
  readonly facts?: Partial<BatchFacts>;
  readonly recipe: Partial<BatchRecipe>;
};

const numbered = { pass: 'tables', notesFaults: false } as const;
const tables = { ...numbered, keepsMapped: true } as const;
const added = (...names: readonly ('row_hash' | 'source_file' | 'attempt' | 'ingested_at' | 'run_id')[]) =>
  names.map((name) => ({ name, value: name }));

const CASES: readonly Case[] = [
  { name: 'a plain model', recipe: {} },
  { name: 'replace', model: { mode: { kind: 'replace' } as unknown as ModelMode }, recipe: {} },
  {
    name: 'columns that only the run says',
    model: { metadata: ['ingested_at', 'run_id', 'attempt'] },
    recipe: { added: added('ingested_at', 'run_id', 'attempt') },
  },
  {
    name: 'the row hash',
    model: { metadata: ['row_hash'] },
    recipe: { hidden: ['hash'], carriesHash: true, added: added('row_hash') },
  },
  {
    name: 'the file of each row',
    model: { metadata: ['source_file'] },
    recipe: { added: added('source_file') },
  },
  {
    name: 'dedupe by row, in a merge',
    model: { mode: BY_ROW },
    facts: { final: false },
    recipe: {
      ...tables,
      ...{ hidden: ['hash'], carriesHash: true },
      equalRows: { known: false },
      added: [{ name: '_row_hash', value: 'row_hash' }],
    },
  },
  {
    name: 'dedupe by row, against the table',
    model: { mode: BY_ROW },
    facts: { known: true },
    recipe: {
      ...numbered,
      ...{ hidden: ['hash'], carriesHash: true },
      equalRows: { known: true },
      added: [{ name: '_row_hash', value: 'row_hash' }],
    },
  },
  {
    name: 'dedupe by key, without a hash',
    model: { mode: BY_KEY },
    facts: { known: true },
    recipe: { ...tables, equalKeys: { key: ['id'], known: true, fate: { kind: 'dropped' } } },
  },
  {
    name: 'condemned keys, where the table has no hashes',
    model: { mode: CONDEMN },
    facts: { known: true },
    recipe: {
      ...{ ...tables, hidden: ['hash'], equalRows: { known: false } },
      equalKeys: { key: ['id'], known: true, fate: { kind: 'condemned', comparable: false } },
    },
  },
  {
    name: 'condemned keys, where the table has hashes',
    model: { mode: CONDEMN, metadata: ['row_hash'] },
    facts: { known: true },
    recipe: {
      ...{ ...tables, hidden: ['hash'], carriesHash: true, equalRows: { known: false } },
      added: added('row_hash'),
      equalKeys: { key: ['id'], known: true, fate: { kind: 'condemned', comparable: true } },
    },
  },
  { name: 'a keyed model', model: { mode: KEYED }, recipe: {} },
  { name: 'a keyed model whose rows lack keys', model: { mode: KEYED }, facts: { incomplete: true }, recipe: tables },
  {
    name: 'a keyed model with an order of its own for ties, which may raise in a merge',
    model: { mode: { ...KEYED, tieBreak: 'a + b' } as unknown as ModelMode },
    recipe: tables,
  },
  {
    name: 'a keyed model whose rows say when they end',
    model: { mode: { ...KEYED, validTo: 'until' } as unknown as ModelMode },
    recipe: tables,
  },
  { name: 'joins', model: { joins: [{}] as unknown as SilverModel['joins'] }, recipe: tables },
  { name: 'row expectations', model: { expect: EXPECT }, recipe: tables },
  { name: 'memory', facts: { memory: true }, recipe: { ...numbered, memory: true, hidden: ['hash', 'key'] } },
  {
    name: 'memory of a keyed model',
    model: { mode: KEYED },
    facts: { memory: true },
    recipe: { ...tables, memory: true, hidden: ['hash', 'key'] },
  },
  { name: 'expressions that raise', facts: { guarded: true }, recipe: { ...tables, guarded: true } },
  {
    name: 'joins of a source with many columns',
    model: { joins: [{}] as unknown as SilverModel['joins'] },
    facts: { wide: true },
    recipe: tables,
  },
  { name: 'many shapes', facts: { manyShapes: true }, recipe: { ...numbered, byShape: true } },
  { name: 'records that are set aside', facts: { poisoned: true }, recipe: { poisoned: true } },
];

describe('the recipe of a batch', () => {
  for (const { name, model, facts, recipe } of CASES) {
    test(name, () => {
      const silver = { ...MODEL, ...model };
      // Numbered rows that do not pass keep their text.
      const given = { ...NOTHING, ...facts };
      const failed = recipe.pass === 'tables' && !given.guarded && !given.wide ? ['failed' as const] : [];
      const hidden = [...(recipe.hidden ?? []), 'nth_file' as const, ...failed];
      assert.deepEqual(planBatch(silver, given), { ...STREAM, ...recipe, hidden });
    });
  }
});
