FROM (
SUMMARIZE p_gold.t -- all of it
)