/** A question to a service of AWS for which a few calls do not pay for a client of its own. */
export type AwsQuestion = {
  /** As signatures name it: `lambda`. */
  readonly service: string;
  /** The IAM action that it takes: `lambda:GetAccountSettings`. */
  readonly action: string;
  /** What it is asked about, for messages; left out: the account. */
  readonly resource?: string;
  /** With its query. */
  readonly path?: string;
  /** A service that is in no region, such as IAM. */
  readonly global?: true;
} & (
  | { readonly kind: 'get' | 'delete' }
  /** JSON to a path, with headers of its own. */
  | { readonly kind: 'rest'; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  /** JSON to an operation, by the header X-Amz-Target; its version is 1.1, if no other is named. */
  | { readonly kind: 'json'; readonly target: string; readonly body: object; readonly json?: '1.0' }
  /** A form that is answered in XML. */
  | { readonly kind: 'query'; readonly form: Readonly<Record<string, string>> }
);

export type AwsReply = { readonly text: string /** By AWS's clock. */; readonly at: Date };

/** Asks. Throws InvalidInput for what the caller may not ask, or asks wrongly, and Unavailable for passing faults. */
export type AskAws = (question: AwsQuestion) => Promise<AwsReply>;
