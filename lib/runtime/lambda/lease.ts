/**
 * Milliseconds for which the lock of a run is its own without being renewed. A step's call comes back within 15
 * minutes, and Step Functions waits a minute at most between two attempts.
 */
export const LEASE_MS = 20 * 60_000;

/** Milliseconds between two renewals while a function works. */
export const RENEW_MS = 2 * 60_000;
