/**
 * SQL text as types. At run time each is the string that it looks like; what makes one is in lib/sql alone, so a string
 * from anywhere else is no SQL for the compiler. Names and literals may stand wherever a fragment may, not one for the other.
 */

declare const KIND: unique symbol;

type Text<Kind extends string> = string & { readonly [KIND]: Kind };

/** A column, table or other name, in quotes where it needs them. */
export type SqlName = Text<'name'>;
/** A value. */
export type SqlLiteral = Text<'literal'>;
/** Any piece of SQL: an expression, a clause, a statement. */
export type Sql = Text<'name' | 'literal' | 'fragment'>;
