import { z } from 'zod';
import { SECRET_NAME, WEBHOOK_FORMATS, type Webhook } from '../core/webhook.ts';
import type { Notes } from './notes.ts';
import { type Field, readFields } from './shape.ts';

export const ALERTS_EXPECTED = "{ webhook: { url: secret('OPS_WEBHOOK'), format: 'slack' } }";

const ALERTS = {
  webhook: { schema: z.unknown(), expected: "{ url: secret('OPS_WEBHOOK') }", required: true },
} as const;

const WEBHOOK = {
  url: {
    schema: z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
    expected: "secret('NAME'), a name of letters, digits and _ and never the URL itself",
    required: true,
  },
  format: { schema: z.enum(WEBHOOK_FORMATS), expected: "'json' or 'slack'" },
} as const satisfies Record<string, Field>;

/** What a pipeline says of its alerts. A URL that stands in the place of its secret's name is not repeated in the problem. */
export function readAlerts(value: unknown, notes: Notes): { readonly webhook: Webhook } | undefined {
  if (value === undefined) return undefined;
  const read = readFields(ALERTS, value, 'alerts', ALERTS_EXPECTED, notes);
  if (read?.webhook === undefined) return undefined;
  const webhook = readFields(
    WEBHOOK,
    read.webhook,
    'alerts.webhook',
    ALERTS.webhook.expected,
    silently(notes, 'alerts.webhook.url'),
  );
  if (webhook?.url === undefined) return undefined;
  return { webhook: { format: webhook.format ?? 'json', secret: webhook.url.secret } };
}

/** What stands at a place, where a secret may stand by mistake, is not repeated. */
export function silently(notes: Notes, secret: string): Notes {
  return {
    ...notes,
    add: (place, got, expected) =>
      notes.add(place, place.startsWith(secret) && got !== 'nothing' ? 'something else' : got, expected),
    inFile: (file) => silently(notes.inFile(file), secret),
  };
}
