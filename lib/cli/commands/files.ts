import type { SetAsideFile } from '../../core/run.ts';
import type { Row } from '../../ports.ts';
import { type FileStatus, listFiles } from '../../query/list-files.ts';
import type { RunRequest } from '../../remote/run-request.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderTable } from '../output/table.ts';

export type FilesOptions = { readonly source?: string; readonly status?: FileStatus };

export async function list(context: Context, pipeline: string, options: FilesOptions): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const files = await listFiles(deps, pipeline, options);
  await context.answer({ pipeline, files }, () =>
    files.length === 0
      ? `no file of ${pipeline} that a run has dealt with matches\n`
      : renderTable(
          files.map((file) => shown(file, files)),
          undefined,
          context.layout,
        ),
  );
  return EXIT.done;
}

/** The table that a row is about, where some of them are not about all tables of their source. */
function shown({ table_name, ...file }: Row, files: readonly Row[]): Row {
  const named = files.some((one) => typeof one['table_name'] === 'string');
  return named ? { ...file, table: table_name ?? null } : file;
}

export type RetryOptions = {
  readonly file?: readonly string[];
  readonly status?: SetAsideFile['status'];
  readonly runId?: string;
};

/** The run that takes files again which earlier runs set aside. */
export function retryRequest(pipeline: string, { file, status, runId }: RetryOptions): RunRequest {
  return {
    pipeline,
    retry: { ...(file === undefined ? {} : { files: file }), ...(status === undefined ? {} : { status }) },
    ...(runId === undefined ? {} : { runId }),
  };
}
