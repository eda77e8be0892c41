/** What a pipeline file imports. */
export type { MetadataColumn, PartitionField } from '../core/spec.ts';
export type { ColumnDefinition, ColumnsDefinition, ColumnTypeText, ParseText } from './columns.ts';
export type { GoldExpectation, RowExpectation, SilverExpectation } from './expectations.ts';
export { query, rowCount, unique } from './expectations.ts';
export type { ExportDefinition } from './exports.ts';
export type {
  ExpectDefinition,
  GivenDefinition,
  ModelTestDefinition,
  OneModelTest,
  TestRow,
  TestRunDefinition,
  TestValue,
} from './model-test.ts';
export { defineModelTest } from './model-test.ts';
export type {
  AppendOptions,
  KeyedDefinition,
  KeyedOptions,
  ModeDefinition,
  Scd2Options,
  UpsertOptions,
} from './modes.ts';
export { append, full, replace, scd2, upsert } from './modes.ts';
export type {
  AlertsDefinition,
  BreakerDefinition,
  ComputeDefinition,
  GoldDefinition,
  MaintenanceDefinition,
  OpenLineageDefinition,
  PipelineDefinition,
  RetentionDefinition,
  SettingsDefinition,
  SilverDefinition,
  SloDefinition,
  Span,
  StepComputeDefinition,
  VarDefinition,
} from './pipeline.ts';
export { definePipeline } from './pipeline.ts';
export type { PromoteDefinition, TableConditionDefinition } from './promote.ts';
export type { ScheduleDefinition } from './schedules.ts';
export { cron } from './schedules.ts';
export type { Secret } from './secret.ts';
export { secret } from './secret.ts';
export type { ServeDefinition, ServedTableDefinition } from './serve.ts';
export type {
  CsvOptions,
  HttpOptions,
  HttpPages,
  JsonOptions,
  KafkaOptions,
  ParquetOptions,
  PostgresOptions,
  SeedOptions,
  SourceDefinition,
} from './sources.ts';
export { csv, http, json, kafka, parquet, postgres, seed } from './sources.ts';
export { bucket, day, hour, identity, month, truncate, year } from './transforms.ts';
