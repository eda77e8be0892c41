# The sample sales, small, as it lands.
mkdir -p pipelines/sales && cp -R node_modules/@strata-lake/strata/pipelines/sales/. pipelines/sales
npx strata generate sales --out data --transactions 2800 --files-per-day 1 --null-amounts 0.01 --late 0.1
npx strata land sales customers data/customers/*
npx strata land sales transactions data/transactions/*
