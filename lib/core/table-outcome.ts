/** What a run did to a table. */
export type TableOutcome = {
  readonly rows_added: number;
  readonly files_added: number;
  readonly snapshot_id: string | null;
};
