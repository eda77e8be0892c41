import { z } from 'zod';
import { type KafkaOrigin, RECORD_FIELDS } from '../../core/origins.ts';
import { oneOf } from '../../core/suggest.ts';
import { SECRET_NAME } from '../../core/webhook.ts';
import { type Notes, placeIn } from '../notes.ts';
import { type Field, type FieldsRead, isRecord } from '../shape.ts';

export const KAFKA = {
  origin: { schema: z.literal('kafka'), expected: "'kafka'" },
  brokers: {
    schema: z.strictObject({ secret: z.string().regex(SECRET_NAME) }),
    expected: "secret('NAME'), a name of letters, digits and _ and never the brokers themselves",
    required: true,
  },
  topic: {
    // Source: kafka.apache.org, org.apache.kafka.common.internals.Topic: also the longest.
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/)
      .refine((name) => name !== '.' && name !== '..'),
    expected: 'the name of a topic: at most 249 letters, digits, ., _ and -',
    required: true,
  },
} as const satisfies Record<string, Field>;

export function kafkaOrigin({ brokers, topic }: FieldsRead<typeof KAFKA>): KafkaOrigin | undefined {
  return brokers === undefined || topic === undefined ? undefined : { kind: 'kafka', brokers: brokers.secret, topic };
}

/** Lines of records have these names and no others. */
export function noteStrangeFields(columns: unknown, place: string, notes: Notes): void {
  for (const name of isRecord(columns) ? Object.keys(columns) : []) {
    if (RECORD_FIELDS.some((field) => field === name)) continue;
    notes.add(
      placeIn(place, name),
      'a field that records have not',
      `${oneOf(name, RECORD_FIELDS)}; what a value has is a column of type struct<...>`,
    );
  }
}
