-- Strikes of each employee on the run date. A flagged message is a strike; the first instant of a month takes one off; the tenth
-- ends it for good. No walk is needed: with n(i) strikes in month i and T(m) = sum of n(i) - 1 up to month m, what is left after
-- the cooldown that follows month m is T(m) - least(0, the smallest T up to m), as with any queue that is served once a month.
-- Only when messages were sent counts, so late ones change nothing but the month that they are of.
WITH numbered AS (
  SELECT
    p.emp_id,
    m.sent_at,
    date_trunc('month', m.sent_at) AS month,
    row_number() OVER (PARTITION BY p.emp_id ORDER BY m.sent_at, m.topic, m.partition, m."offset") AS strike_no,
    row_number() OVER (
      PARTITION BY p.emp_id, date_trunc('month', m.sent_at) ORDER BY m.sent_at, m.topic, m.partition, m."offset"
    ) AS of_month
  FROM silver.messages m
  JOIN gold.staff p ON CAST(p.emp_id AS VARCHAR) = m.sender
  WHERE m.flagged AND m.sent_at < run_date() + INTERVAL 1 DAY
),
-- A strike counts for thirty days: this one and those before it that still do.
struck AS (
  SELECT
    *,
    1 + strike_no - min(strike_no) OVER (
      PARTITION BY emp_id ORDER BY sent_at
      RANGE BETWEEN INTERVAL '719 hours 59 minutes 59.999999 seconds' PRECEDING AND CURRENT ROW
    ) AS of_thirty_days
  FROM numbered
),
months AS (
  SELECT emp_id, unnest(range(min(month), run_date() + INTERVAL 1 DAY, INTERVAL 1 MONTH)) AS month
  FROM struck
  GROUP BY emp_id
),
counted AS (
  SELECT m.emp_id, m.month, count(s.strike_no) AS n
  FROM months m
  LEFT JOIN struck s ON s.emp_id = m.emp_id AND s.month = m.month
  GROUP BY m.emp_id, m.month
),
summed AS (
  SELECT *, sum(n - 1) OVER (PARTITION BY emp_id ORDER BY month) AS t FROM counted
),
cooled AS (
  SELECT *, t - least(0, min(t) OVER (PARTITION BY emp_id ORDER BY month)) AS left_after FROM summed
),
states AS (
  SELECT
    *,
    CASE WHEN var('cooldown') = 'all' THEN 0
      ELSE coalesce(lag(left_after) OVER (PARTITION BY emp_id ORDER BY month), 0) END AS before
  FROM cooled
),
-- The strikes that were each the tenth; the first of them counts.
tenths AS (
  SELECT s.emp_id, s.strike_no, s.sent_at
  FROM struck s
  JOIN states m ON m.emp_id = s.emp_id AND m.month = s.month
  WHERE CASE WHEN var('cooldown') = '30d' THEN s.of_thirty_days >= 10 ELSE m.before + s.of_month >= 10 END
),
ended AS (
  SELECT emp_id, min(strike_no) AS last_strike_no, min(sent_at) AS inactive_since FROM tenths GROUP BY emp_id
),
today AS (
  SELECT emp_id, arg_max(before + n, month) AS strikes FROM states GROUP BY emp_id
),
lately AS (
  SELECT emp_id, count(*) FILTER (sent_at >= run_date() - INTERVAL 29 DAY) AS strikes FROM struck GROUP BY emp_id
)
SELECT
  today.emp_id,
  CAST(CASE
    WHEN ended.emp_id IS NOT NULL THEN 10
    WHEN var('cooldown') = '30d' THEN lately.strikes
    ELSE today.strikes
  END AS INTEGER) AS strikes,
  CASE WHEN ended.emp_id IS NULL THEN 'ACTIVE' ELSE 'INACTIVE' END AS status,
  ended.inactive_since,
  ended.last_strike_no,
  run_date() AS as_of
FROM today
JOIN lately USING (emp_id)
LEFT JOIN ended USING (emp_id)
ORDER BY today.emp_id
