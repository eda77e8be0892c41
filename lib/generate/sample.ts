import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';
import type { Session, Statement } from '../ports.ts';

/** One written file; `table` is the source that it is for, `rows` without a header, `bytes` as it lies on disk. */
export type GeneratedFile = {
  readonly table: string;
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
};

/** `rows` null: to be counted when they are written. */
export type PlannedFile = Omit<GeneratedFile, 'bytes' | 'rows'> & {
  readonly rows: number | null;
  readonly statement: Statement;
};

const numeric = z.union([z.number(), z.string().trim().min(1).transform(Number)]);

/** Options may come as the text of a command line. */
export const whole = (min: number, max: number) => numeric.pipe(z.number().int().min(min).max(max));
export const share = () => numeric.pipe(z.number().min(0).max(1));
export const seedOption = () => whole(0, Number.MAX_SAFE_INTEGER).default(42);

/** Throws InvalidInput with every problem at once. */
export function parseOptions<Schema extends z.ZodType>(
  sample: string,
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(
    `the ${sample} sample cannot be generated`,
    parsed.error.issues.map((issue) => ({
      file: `generate ${sample}`,
      place: issue.path.join('.'),
      got: JSON.stringify(valueAt(input, issue.path)) ?? 'nothing',
      expected: issue.message,
    })),
  );
}

/**
 * Writes the files, one after the other. Throws InvalidInput when a folder holds files whose names match `ours` and that this
 * call would not replace: files of an earlier, larger sample would be taken for part of this one.
 */
export async function writeFiles(
  planned: readonly PlannedFile[],
  ours: RegExp,
  session: Session,
): Promise<readonly GeneratedFile[]> {
  await refuseLeftovers(planned, ours);
  const written: GeneratedFile[] = [];
  for (const { table, path, rows, statement } of planned) {
    await mkdir(dirname(path), { recursive: true });
    const [counted] = await session.rows(statement);
    written.push({ table, path, rows: rows ?? Number(counted?.['Count']), bytes: (await stat(path)).size });
  }
  return written;
}

async function refuseLeftovers(planned: readonly PlannedFile[], ours: RegExp): Promise<void> {
  for (const [folder, files] of Map.groupBy(planned, ({ path }) => dirname(path))) {
    await refuseOthers(folder, new Set(files.map(({ path }) => basename(path))), ours);
  }
}

/** Throws InvalidInput when a folder holds something whose name matches `ours` and that is none of `names`. */
export async function refuseOthers(folder: string, names: ReadonlySet<string>, ours: RegExp): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter((name) => ours.test(name) && !names.has(name));
  if (left.length > 0) {
    throw new InvalidInput(
      `${folder} holds ${left.length} ${basename(folder)} files of another sample, such as ${left[0]}; empty it or choose another folder`,
    );
  }
}

/** The path of a sample's file. */
export const fileIn = (out: string, table: string, name: string): string => join(out, table, name);

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}
