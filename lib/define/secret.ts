/** A secret by its name: an environment variable on one machine, a secret of AWS Secrets Manager on AWS. No file of a pipeline holds it itself. */
export type Secret = { readonly secret: string };

/** Names a secret: letters, digits and `_`, such as `'OPS_WEBHOOK'`. */
export function secret(name: string): Secret {
  return { secret: name };
}
