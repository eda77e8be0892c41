import type { Node } from 'constructs';
import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';

const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).default(false);

function names(text: string): readonly string[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

const context = z.object({
  stage: z.string().min(1).optional(),
  alertEmails: z
    .string()
    .default('')
    .transform((text) => names(text))
    .pipe(z.array(z.email())),
  adopt: z
    .string()
    .default('')
    .transform((text) => names(text)),
  kms: flag,
  nestDatabases: flag,
  destroyData: flag,
  athenaScanLimitGb: z.coerce.number().positive().default(100),
});

/** What a deployment chooses by `-c name=value` or in cdk.json's context. */
export type Settings = Omit<z.output<typeof context>, 'stage'> & {
  /** The context's `stage`. */
  readonly deployment: string | undefined;
};

const EXPECTED: Readonly<Record<string, string>> = {
  alertEmails: 'e-mail addresses with commas between them',
  adopt: 'names of pipelines with commas between them',
  kms: 'true or false',
  nestDatabases: 'true or false',
  destroyData: 'true or false',
  athenaScanLimitGb: 'a number of gigabytes above 0',
  stage: 'a name such as dev',
};

/** Whether the context flag destroyData is set. Throws InvalidInput for what is neither true nor false. */
export function mayDestroy(node: Node): boolean {
  const given: unknown = node.tryGetContext('destroyData');
  const parsed = flag.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new InvalidInput(`context destroyData: got ${JSON.stringify(given)}; expected ${EXPECTED['destroyData']}`);
}

/** Reads the context. Throws InvalidInput with every value that is wrong. */
export function readSettings(node: Node): Settings {
  const given = Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, node.tryGetContext(name)]));
  const parsed = context.safeParse(given);
  if (parsed.success) {
    const { stage, ...settings } = parsed.data;
    return { ...settings, deployment: stage };
  }
  const wrong = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
  throw new InvalidInput(
    'the context of this deployment cannot be read:',
    [...wrong].map((name) => ({
      file: 'context',
      place: name,
      got: JSON.stringify(given[name]),
      expected: EXPECTED[name] ?? 'no such value',
    })),
  );
}
