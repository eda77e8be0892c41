import { parseDocument } from 'yaml';
import { z } from 'zod';
import { InvalidInput, type Problem } from '../core/errors.ts';
import { oneOf } from '../core/suggest.ts';

const whole = z.number().int().positive();

const MODE = z.strictObject({
  /** Of DuckDB, and the bytes that it may hold. */
  threads: whole.optional(),
  memoryBytes: whole.optional(),
  settings: z.strictObject({ unitBytes: whole.optional(), fileBytes: whole.optional() }).optional(),
  /** By a model's id: another file for its SQL, in the pipeline's folder. */
  sql: z.record(z.string().regex(/^(silver|gold)\.\w+$/), z.string().endsWith('.sql')).optional(),
});

const FILE = z.strictObject({ modes: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), MODE) });

/** What is other in a mode than in the pipeline. */
export type BenchMode = z.output<typeof MODE>;

/** Reads `bench.yml` of a pipeline. Throws InvalidInput with every mistake, and for a mode that is asked for and is not there. */
export function parseBenchModes(text: string, file: string, wanted: readonly string[]): ReadonlyMap<string, BenchMode> {
  const document = parseDocument(text);
  const broken = document.errors.map(
    ({ message, linePos }): Problem => ({
      ...{ file, place: `line ${linePos?.[0].line ?? 1}` },
      ...{ got: message.split('\n')[0] ?? message, expected: 'YAML' },
    }),
  );
  if (broken.length > 0) throw new InvalidInput(`${file} cannot be read:`, broken);
  const parsed = FILE.safeParse(document.toJS());
  if (!parsed.success) {
    throw new InvalidInput(
      `${file} has mistakes:`,
      parsed.error.issues.map(({ path, message }) => ({
        ...{ file, place: path.join('.') || 'the file', got: 'something else', expected: message },
      })),
    );
  }
  const modes = new Map(Object.entries(parsed.data.modes));
  return new Map(
    wanted.map((name) => {
      const mode = modes.get(name);
      if (mode !== undefined) return [name, mode];
      throw new InvalidInput(`no mode ${JSON.stringify(name)} in ${file}: expected ${oneOf(name, [...modes.keys()])}`);
    }),
  );
}
