SELECT account, count(*)::BIGINT AS clicks, sum(cents)::BIGINT AS cents, max(clicked) AS latest FROM silver.clicks GROUP BY account
