/** The version of this package, as its manifest says; a test holds the two equal. */
export const RELEASE = '0.1.0';
