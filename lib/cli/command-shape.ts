import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { Context, GlobalOptions } from './context.ts';

/** What every command's declaration is made of. */

/** Runs a parsed command; it answers its exit code. */
export type Invoke = (options: GlobalOptions, run: (context: Context) => Promise<number>) => Promise<void>;

export type Start = (command: Command, run: (context: Context) => Promise<number>) => Promise<void>;

export function examples(...lines: readonly string[]): string {
  return ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

export function pipelineArgument(): Argument {
  return new Argument('<pipeline>', 'the name of a folder in --pipelines');
}

/** For options that take a number of things: 1 or more. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count > 0) return count;
  throw new InvalidArgumentError('Expected a whole number, 1 or more.');
}
