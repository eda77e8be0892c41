import { type FileHandle, open } from 'node:fs/promises';
import { scanRecords, type TextFormat } from './text-file.ts';

const LINES_AT_ONCE = 10_000;

/**
 * Writes where the lines of a file's records stop following one from the other, as CSV of `path, record, place, line`:
 * what turns the number of a record into the line on which it begins. `blankIsRow`: blank lines are records too.
 */
export async function writeLineShifts(
  path: string,
  format: TextFormat,
  blankIsRow: boolean,
  target: string,
): Promise<void> {
  const name = `"${path.replaceAll('"', '""')}"`;
  const file = await open(target, 'w');
  try {
    const writes: Promise<unknown>[] = [];
    let lines: string[] = [];
    await scanRecords(path, format, {
      shift: ({ record, place, line }) => {
        lines.push(`${name},${blankIsRow ? place : record},${place},${line}\n`);
        if (lines.length < LINES_AT_ONCE) return;
        writes.push(append(file, writes.at(-1), lines));
        lines = [];
      },
    });
    await append(file, writes.at(-1), lines);
  } finally {
    await file.close();
  }
}

async function append(file: FileHandle, before: Promise<unknown> | undefined, lines: readonly string[]): Promise<void> {
  await before;
  await file.write(lines.join(''));
}
