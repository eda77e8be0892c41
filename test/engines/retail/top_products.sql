WITH revenue_by_product AS (
  SELECT product_id, sum(total_amount) AS revenue, CAST(sum(quantity) AS bigint) AS units
  FROM silver.sales
  WHERE total_amount IS NOT NULL
  GROUP BY product_id
),
ranked AS (
  SELECT *, row_number() OVER (ORDER BY revenue DESC, product_id) AS rank FROM revenue_by_product
)
SELECT
  CAST(ranked.rank AS integer) AS rank,
  ranked.product_id,
  products.product_name,
  products.category,
  ranked.revenue,
  ranked.units
FROM ranked
LEFT JOIN silver.products AS products ON products.product_id = ranked.product_id AND products.is_current
WHERE ranked.rank <= 50
