/** One SQL statement with a name that errors and timings carry. */
export type Statement = { readonly name: string; readonly text: string };
