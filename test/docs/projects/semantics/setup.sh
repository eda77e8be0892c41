set -e
for name in c1 c2; do
  npx strata land prices prices "$name.csv" >&2
  npx strata run prices --run-id "$name" >&2
done
