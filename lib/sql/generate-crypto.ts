import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { drawNormal, jsonFile } from './generate.ts';
import { quoteText } from './quote.ts';

/** Statements that write the crypto sample: what a markets API would have answered at given times. */

/** The first snapshot; fixed, so that a sample never depends on the day it is generated. */
export const CRYPTO_START = Date.UTC(2026, 0, 1);

export type MarketsFile = {
  readonly path: string;
  readonly seed: number;
  readonly coins: number;
  /** When the answer was given: ISO 8601, in UTC. */
  readonly at: string;
};

/**
 * Writes a JSON array of {id, symbol, name, current_price, market_cap, market_cap_rank, total_volume, last_updated}, coins
 * 1 to `coins`. A coin has a price and a market cap of its own, the smaller the higher its number; in each snapshot the price is
 * times e^N(0, 0.08), the cap times e^N(0, 0.05), and the volume 5 % of the cap times e^N(0, 0.4).
 */
export function renderMarketsJson({ path, seed, coins, at }: MarketsFile): Statement {
  const row = sql`i || ${quoteText(`/${at}`)}`;
  const drawn = (field: string): Sql => drawNormal(seed, `markets.${field}`, row);
  return jsonFile(
    'generate markets',
    path,
    sql`WITH coins AS (
  SELECT i, 'c' || lpad(CAST(i AS VARCHAR), 4, '0') AS symbol,
    50000 / pow(i, 1.5) AS price,
    1e12 / pow(i, 1.2) * exp(0.05 * ${drawn('cap')}) AS cap,
    exp(0.08 * ${drawn('price')}) AS price_change,
    0.05 * exp(0.4 * ${drawn('volume')}) AS turnover
  FROM range(1, ${coins + 1}) AS ids(i)
)
SELECT 'coin-' || symbol[2:] AS id, symbol, 'Coin ' || i AS name,
  CAST(price * price_change AS DECIMAL(18,6)) AS current_price,
  CAST(cap AS BIGINT) AS market_cap,
  i AS market_cap_rank,
  CAST(cap * turnover AS BIGINT) AS total_volume,
  ${quoteText(at)} AS last_updated
FROM coins
ORDER BY i`,
  );
}
