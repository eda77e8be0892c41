/** The most columns of a Z-order: with more, each is hardly narrowed. */
export const MOST_ZORDER = 4;
