import { z } from 'zod';
import { InvalidInput } from '../core/errors.ts';
import { applyChange } from './apply.ts';
import { renderMetadata } from './json.ts';
import { parseLossless } from './lossless.ts';
import { MAIN } from './snapshot.ts';
import type { TableMetadata } from './types.ts';

const long = z.bigint();

const snapshot = z.object({
  'snapshot-id': long,
  'parent-snapshot-id': long.exactOptional(),
  'sequence-number': long,
  'timestamp-ms': long,
  'manifest-list': z.string(),
  summary: z.object({ operation: z.enum(['append', 'replace', 'overwrite', 'delete']) }).catchall(z.string()),
  'schema-id': z.number().int().exactOptional(),
});

/** What a statement does that adds files, and no more of what the protocol has. */
const asked = z.object({
  requirements: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('assert-table-uuid'), uuid: z.string() }),
      z.object({
        type: z.literal('assert-ref-snapshot-id'),
        ref: z.literal(MAIN),
        'snapshot-id': long.nullish().transform((id) => id ?? null),
      }),
    ]),
  ),
  updates: z.array(
    z.discriminatedUnion('action', [
      z.object({ action: z.literal('add-snapshot'), snapshot }),
      z.object({
        action: z.literal('set-snapshot-ref'),
        'ref-name': z.literal(MAIN),
        type: z.literal('branch'),
        'snapshot-id': long,
      }),
    ]),
  ),
});

/**
 * The metadata file, as text, after a commit that an engine asks for by Iceberg's REST protocol: a snapshot of the branch main.
 * Throws InvalidInput for another change of the table, CommitConflict when it is not as the engine takes it to be.
 * Source: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml (CommitTableRequest)
 */
export function commitAsAsked(
  metadata: TableMetadata,
  request: string,
  at: { readonly location: string; readonly nowMs: number },
): string {
  const parsed = asked.safeParse(parseLossless(request));
  if (!parsed.success)
    throw new InvalidInput(
      `a commit of an engine: got ${z.prettifyError(parsed.error).replaceAll(/\s+/g, ' ')}; expected one snapshot, made main`,
    );
  return renderMetadata(applyChange(parsed.data, metadata, at.nowMs, at.location));
}
