set -e
for file in c1.csv c2.csv; do
  npx strata land prices prices "$file" >&2
  npx strata run prices >&2
done
