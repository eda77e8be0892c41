import type { FilePiece } from '../core/file-piece.ts';

/** How the parts of a file that is larger than a unit are come by. */
export type Cut =
  | { readonly kind: 'pieces'; readonly pieces: readonly FilePiece[] }
  /** It has no parts, or what it is will be seen when it is read. */
  | { readonly kind: 'whole' }
  /** Its bytes have to be translated before records can be told apart: parts are come by one after the other. */
  | { readonly kind: 'in turn' }
  | { readonly kind: 'refused'; readonly code: 'UNREADABLE_FILE' | 'FILE_TOO_LARGE'; readonly reason: string };
