SELECT account, count(*)::BIGINT AS clicks, sum(cents)::BIGINT AS cents, max("at") AS latest FROM silver.clicks GROUP BY account
