/** How a result can be printed. Apart from what prints it, so that help loads none of that. */
export const QUERY_FORMATS = ['table', 'csv', 'json'] as const;
export type QueryFormat = (typeof QUERY_FORMATS)[number];

/** How a terminal shows null, so that it is no text 'NULL'. */
export const DIM_NULL = '\u001b[2mNULL\u001b[22m';
