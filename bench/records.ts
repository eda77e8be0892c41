import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Measured } from './bench.ts';
import type { Machine } from './machine.ts';

/** What a measurement found when it was last made at full size; it stays until it is made again. */
export type Recorded = Measured & {
  /** ISO date. */
  readonly date: string;
  readonly rounds: number;
  /** How many processes had been waiting for a processor, on average of the minute before. */
  readonly load: number;
  readonly machine: Machine;
};

const FOLDER = new URL('results/', import.meta.url);

export async function writeRecord(name: string, recorded: Recorded): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(new URL(`${name}.json`, FOLDER), `${JSON.stringify(recorded, null, 2)}\n`);
}

/** Undefined where it was never made. */
export async function readRecord(name: string): Promise<Recorded | undefined> {
  const text = await readIfThere(`${name}.json`);
  return text === undefined ? undefined : (JSON.parse(text) as Recorded);
}

/** What was written by hand about a measurement: where the time goes, and what was tried. */
export async function readNotes(name: string): Promise<string> {
  return ((await readIfThere(`${name}.md`)) ?? '').trim();
}

async function readIfThere(name: string): Promise<string | undefined> {
  return readFile(new URL(name, FOLDER), 'utf8').catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  });
}
