import { RemovalPolicy } from 'aws-cdk-lib';

/**
 * Of what holds data: it stays when its stack goes or replaces it, but not when the deployment that would have made it rolls back, so that
 * the next attempt finds its name free. Source: docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 */
export const KEPT = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
