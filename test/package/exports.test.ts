import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as define from '@strata-lake/strata';
import * as cdk from '@strata-lake/strata/cdk';

/** What users import. A name that goes breaks them; a name that comes is a promise. */
const DEFINE = {
  values: [
    ...[
      'append',
      'bucket',
      'cron',
      'csv',
      'day',
      'defineModelTest',
      'definePipeline',
      'full',
      'hour',
      'http',
      'identity',
      'json',
    ],
    ...[
      'kafka',
      'month',
      'parquet',
      'postgres',
      'query',
      'replace',
      'rowCount',
      'scd2',
      'secret',
      'seed',
      'truncate',
      'unique',
      'upsert',
      'year',
    ],
  ],
  types: [
    ...[
      'AlertsDefinition',
      'AppendOptions',
      'BreakerDefinition',
      'ColumnDefinition',
      'ColumnTypeText',
      'ColumnsDefinition',
    ],
    ...[
      'ComputeDefinition',
      'CsvOptions',
      'ExpectDefinition',
      'ExportDefinition',
      'GivenDefinition',
      'GoldDefinition',
      'GoldExpectation',
      'HttpOptions',
      'HttpPages',
    ],
    ...[
      'JsonOptions',
      'KafkaOptions',
      'KeyedDefinition',
      'KeyedOptions',
      'MaintenanceDefinition',
      'MetadataColumn',
      'ModeDefinition',
      'ModelTestDefinition',
    ],
    ...[
      'OneModelTest',
      'OpenLineageDefinition',
      'ParquetOptions',
      'ParseText',
      'PartitionField',
      'PipelineDefinition',
      'PostgresOptions',
      'PromoteDefinition',
      'RetentionDefinition',
    ],
    ...[
      'RowExpectation',
      'Scd2Options',
      'ScheduleDefinition',
      'Secret',
      'SeedOptions',
      'ServeDefinition',
      'ServedTableDefinition',
      'SettingsDefinition',
      'SilverDefinition',
      'SilverExpectation',
    ],
    ...['SloDefinition', 'SourceDefinition', 'Span', 'StepComputeDefinition', 'TableConditionDefinition'],
    ...['TestRow', 'TestRunDefinition', 'TestValue', 'UpsertOptions', 'VarDefinition'],
  ],
};
const CDK = {
  values: [
    ...['InvalidInput', 'Lake', 'LakeStack', 'Pipeline', 'PipelineStack', 'bundlesFor', 'compiledPipeline'],
    ...['compiledPipelines', 'createApp', 'createDeployment'],
  ],
  types: [
    ...['AlarmChange', 'AlarmName', 'AlarmsOptions', 'AppProps', 'BucketRules', 'BundleArchitecture'],
    ...['Deployment', 'DeploymentNames', 'DeploymentProps', 'FunctionName', 'GivenBuckets', 'ILake'],
    ...[
      'LakeAttributes',
      'LakeOptions',
      'LakeProps',
      'LakeStackProps',
      'ManagedPolicies',
      'OriginOptions',
      'PipelineOptions',
    ],
    ...[
      'PipelineProps',
      'PipelineSpec',
      'PipelineStackProps',
      'ScheduledMaintenance',
      'ServingOptions',
      'SparkOptions',
      'StartOn',
      'StepName',
      'Zone',
    ],
  ],
};

describe('what a pipeline file imports', () => {
  test('as values', () => assert.deepEqual(Object.keys(define).sort(), DEFINE.values));
  test('as types', () => assert.deepEqual(exportedTypes('lib/define/index.ts'), DEFINE.types));
});

describe('what an app of the CDK imports', () => {
  test('as values', () => assert.deepEqual(Object.keys(cdk).sort(), CDK.values));
  test('as types', () => assert.deepEqual(exportedTypes('lib/infra/index.ts'), CDK.types));
});

/** `export type { A }` and `export { type A }`. */
function exportedTypes(file: string): readonly string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const lists = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)];
  return lists
    .flatMap(([, all, names = '']) =>
      names.split(',').map((name) => `${all === undefined ? '' : 'type '}${name.trim()}`),
    )
    .map((name) => /^type (?:.* as )?(\w+)$/.exec(name)?.[1] ?? '')
    .filter((name) => name !== '')
    .sort();
}
