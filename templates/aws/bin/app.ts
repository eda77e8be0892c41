import { createApp } from '@strata-lake/strata/cdk';

// One stack that keeps the lake, and one for each pipeline.
createApp();
