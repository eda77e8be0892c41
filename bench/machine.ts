import { availableParallelism, cpus, totalmem, type } from 'node:os';
import { version } from '@duckdb/node-api';

/** Facts about the machine that a reader needs to judge a figure, and nothing that identifies it. */
export type Machine = {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGb: number;
  readonly platform: string;
  readonly node: string;
  readonly duckdb: string;
};

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown processor',
    memoryGb: totalmem() / 1e9,
    platform: `${type()} ${process.arch}`,
    node: process.versions.node,
    duckdb: version(),
  };
}
