/** A part of a file that is larger than a unit. It begins and ends where records do. */
export type FilePiece = {
  /** Its place among the parts of the file, from 0. */
  readonly nth: number;
  /** Bytes of the file; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  /** Of Parquet: row groups, by their numbers from 0; `to` is exclusive. */
  readonly groups?: { readonly from: number; readonly to: number };
  /** Lines of the file before it; of Parquet rows. */
  readonly lines: number;
  /** The header, which is read before it as well: bytes of the file, and lines. The first part begins with its own. */
  readonly header?: { readonly from: number; readonly to: number; readonly lines: number };
};
