import { InvalidInput } from '../../core/errors.ts';
import {
  exportQuarantine,
  listQuarantine,
  type QuarantineRequest,
  type QuarantineStatus,
  showQuarantined,
} from '../../query/quarantine.ts';
import { releaseRows } from '../../runtime/release-rows.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatQuantity } from '../output/human.ts';
import { noteMasked } from '../output/masked.ts';
import { renderQuarantinedRow, renderQuarantineList } from '../output/quarantine.ts';
import { chooseFormat, PRINTERS } from '../output/rows-by-page.ts';

/** The filters as the command line has them. */
export type QuarantineOptions = {
  readonly source?: string;
  readonly code?: string;
  readonly status?: QuarantineStatus;
  readonly runId?: string;
  readonly file?: readonly string[];
  readonly hash?: readonly string[];
};

function requestOf({ source, code, status, runId, file, hash }: QuarantineOptions): QuarantineRequest {
  return {
    ...(source === undefined ? {} : { source }),
    ...(code === undefined ? {} : { code }),
    ...(status === undefined ? {} : { status }),
    ...(runId === undefined ? {} : { runId }),
    ...(file === undefined ? {} : { files: file }),
    ...(hash === undefined ? {} : { hashes: hash }),
  };
}

export async function list(
  context: Context,
  pipeline: string,
  options: QuarantineOptions & PersonalOption & { readonly limit: number },
): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const request = requestOf(options);
  const found = await listQuarantine(hidingPersonal(deps, options), pipeline, request, options.limit);
  await context.answer(found, () => renderQuarantineList(found, Object.keys(request).length > 0, context));
  return EXIT.done;
}

export async function show(context: Context, pipeline: string, hash: string, options: PersonalOption): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const row = await showQuarantined(hidingPersonal(deps, options), pipeline, hash);
  await context.answer(row, () => renderQuarantinedRow(row, context));
  return EXIT.done;
}

/** Prints all rows that match, a page at a time. */
export async function exportRows(
  context: Context,
  pipeline: string,
  options: QuarantineOptions & PersonalOption & { readonly format?: 'csv' | 'json'; readonly safeCsv?: boolean },
): Promise<number> {
  if (options.format === undefined && options.safeCsv !== true && !context.options.json) {
    throw new InvalidInput('quarantine export: expected --format csv, --format json or --safe-csv');
  }
  const format = chooseFormat(context.options.json, options);
  const { deps } = await openLakeAt(context, 'read');
  await exportQuarantine(hidingPersonal(deps, options), pipeline, requestOf(options), async (result) => {
    await PRINTERS[format](context, result);
    noteMasked(context, result.masked);
  });
  return EXIT.done;
}

/** Holds rows no longer against what lands. Throws LockHeld while a run works. */
export async function release(
  context: Context,
  pipeline: string,
  { by, reason, ...options }: QuarantineOptions & { readonly by?: string; readonly reason?: string },
): Promise<number> {
  const { deps } = await openLakeAt(context, 'write');
  const released = await releaseRows(deps, pipeline, requestOf(options), { by: by ?? '', reason: reason ?? '' });
  await context.answer({ pipeline, released }, () =>
    released === 0
      ? `no row of ${pipeline} that matches is held in quarantine\n`
      : `released ${formatQuantity(released, 'row')} of ${pipeline}: on record still, but no longer held against rows that land from now on\n`,
  );
  return EXIT.done;
}
