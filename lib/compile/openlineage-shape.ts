import { z } from 'zod';
import { isReceiver, type LineageReceiver } from '../core/lineage-receiver.ts';
import { SECRET_NAME } from '../core/webhook.ts';
import { silently } from './alerts-shape.ts';
import type { Notes } from './notes.ts';
import { type Field, readFields } from './shape.ts';

export const OPENLINEAGE_EXPECTED = "{ to: 'https://marquez.example.com', key: secret('LINEAGE_KEY') }";

const OPENLINEAGE = {
  to: {
    schema: z.string().refine(isReceiver),
    expected:
      "an address such as 'https://marquez.example.com', without a name, a password or anything behind a ?, or 'eventbridge:<bus>'",
    required: true,
  },
  key: {
    schema: z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
    expected: "secret('NAME'), a name of letters, digits and _ and never the key itself",
  },
  namespace: { schema: z.string().min(1), expected: "a text, such as 'lake-of-sales'" },
} as const satisfies Record<string, Field>;

/** Where a pipeline tells what its runs did. What stands where there may be a password is not repeated in a problem. */
export function readOpenLineage(value: unknown, notes: Notes): LineageReceiver | undefined {
  if (value === undefined) return undefined;
  const quiet = silently(silently(notes, 'openlineage.key'), 'openlineage.to');
  const read = readFields(OPENLINEAGE, value, 'openlineage', OPENLINEAGE_EXPECTED, quiet);
  if (read?.to === undefined) return undefined;
  const { to, key, namespace } = read;
  return { to, ...(namespace && { namespace }), ...(key && { secret: key.secret }) };
}
