import { type Command, InvalidArgumentError } from 'commander';
import { isLosslessNumber, parse, stringify } from 'lossless-json';
import type { VarValues } from '../core/vars.ts';

/** `--vars`, which may be given more than once; the later value of a name counts. */
export function addVars(command: Command): Command {
  return command.option(
    '--vars <vars>',
    'variables of the pipeline, as name=value or as JSON: \'{"name": value}\'',
    (text: string, before: VarValues | undefined) => ({ ...before, ...parseVars(text) }),
  );
}

/** Values keep the text that they were given with: digits are not rounded. Throws InvalidArgumentError. */
export function parseVars(text: string): VarValues {
  const given = text.trim();
  if (given.startsWith('{')) return parseJson(given);
  const [, name, value] = /^\s*([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError(EXPECTED);
  return { [name]: value };
}

const EXPECTED = 'Expected name=value, or JSON such as \'{"min_amount": 10.50, "since": null}\'.';

function parseJson(text: string): VarValues {
  let values: unknown;
  try {
    values = parse(text);
  } catch (cause) {
    throw new InvalidArgumentError(`${cause instanceof Error ? cause.message : String(cause)}. ${EXPECTED}`);
  }
  return Object.fromEntries(Object.entries(values as object).map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (isLosslessNumber(value)) return value.value;
  return stringify(value) ?? null;
}
