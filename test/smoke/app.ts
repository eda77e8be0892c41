import { createApp } from '@strata-lake/strata/cdk';

/** What the smoke test deploys. It goes with its data, by the context flag destroyData: nothing of it is to stay. */
createApp({ folder: process.env['SMOKE_FOLDER'] ?? '.', destroyData: true });
