/**
 * How long an AWS client waits, in milliseconds, for a connection and between two signs of life on it. The SDK's own
 * setting is for ever, and its `requestTimeout` only warns.
 */
export const CONNECTIONS = { connectionTimeout: 5_000, socketTimeout: 20_000 } as const;
