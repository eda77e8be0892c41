import type { AskAws } from '../../core/aws-question.ts';
import { InvalidInput } from '../../core/errors.ts';

/**
 * Secrets of AWS Secrets Manager, which are text. Throws as `ask` does, and no error says what a secret is.
 * Source: docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function createAwsSecrets(ask: AskAws): (name: string) => Promise<string> {
  return async (name) => {
    const { text } = await ask({
      service: 'secretsmanager',
      action: 'secretsmanager:GetSecretValue',
      kind: 'json',
      target: 'secretsmanager.GetSecretValue',
      body: { SecretId: name },
    });
    const { SecretString: secret } = JSON.parse(text) as { readonly SecretString?: unknown };
    if (typeof secret === 'string') return secret;
    throw new InvalidInput(
      `the secret ${name} is no text: expected a secret of AWS Secrets Manager with a SecretString`,
    );
  };
}
