WITH revenue_by_product AS (
  SELECT product_id, sum(total_amount) AS revenue, sum(quantity) AS units
  FROM silver.sales
  WHERE total_amount IS NOT NULL
  GROUP BY product_id
),
ranked AS (
  SELECT *, row_number() OVER (ORDER BY revenue DESC, product_id) AS rank FROM revenue_by_product
)
SELECT ranked.rank, ranked.product_id, products.product_name, products.category, ranked.revenue, ranked.units
FROM ranked
LEFT JOIN silver.products AS products ON products.product_id = ranked.product_id AND products.is_current
WHERE ranked.rank <= 50
