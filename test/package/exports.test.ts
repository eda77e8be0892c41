import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as define from '@strata-lake/strata';

/** What users import. A name that goes breaks them; a name that comes is a promise. */
const VALUES = [
  ...['append', 'bucket', 'csv', 'day', 'definePipeline', 'full', 'hour', 'identity', 'json', 'month', 'parquet'],
  ...['query', 'replace', 'rowCount', 'scd2', 'truncate', 'unique', 'upsert', 'year'],
];
const TYPES = [
  ...['AppendOptions', 'BreakerDefinition', 'ColumnDefinition', 'ColumnTypeText', 'ColumnsDefinition'],
  ...['ComputeDefinition', 'CsvOptions', 'GoldDefinition', 'GoldExpectation', 'JsonOptions', 'KeyedDefinition'],
  ...['KeyedOptions', 'MetadataColumn', 'ModeDefinition', 'ParquetOptions', 'ParseText', 'PartitionField'],
  ...['PipelineDefinition', 'RetentionDefinition', 'RowExpectation', 'Scd2Options', 'SettingsDefinition'],
  ...['SilverDefinition', 'SilverExpectation', 'SloDefinition', 'SourceDefinition', 'Span', 'StepComputeDefinition'],
  ...['UpsertOptions'],
];

describe('what a pipeline file imports', () => {
  test('as values', () => assert.deepEqual(Object.keys(define).sort(), VALUES));
  test('as types', () => assert.deepEqual(exportedTypes('lib/define/index.ts'), TYPES));
});

function exportedTypes(file: string): readonly string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const lists = [...text.matchAll(/export type \{([^}]*)\}/g)].map(([, names = '']) => names);
  return lists
    .flatMap((names) => names.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .sort();
}
