/** The kinds of trouble of the simulated world, in the words of the tables in docs/reliability.md. */

/** Every kind of trouble that a call can meet. */
export const troubles = {
  throttled: "refused with ThrottlingException",
  denied: "refused with AccessDeniedException",
  expired: "refused with ExpiredTokenException",
  "not valid": "refused with ValidationException",
  internal: "KMSInternalException, not carried out",
  "internal, done": "KMSInternalException although it was carried out",
  page: "a load balancer's 503 page",
  "garbled answer": "carried out, and an answer that is no JSON",
  "empty answer": "carried out, and an answer without its members",
  reset: "connection cut before it was carried out",
  lost: "carried out, and its answer lost",
  slow: "answered after 1 to 7 s",
  hangs: "carried out, and answered after our time limit",
  "never arrives": "not carried out, and never answered",
  lag: "answered from the state of some seconds ago",
  "wrong signature": "one bit of the signature is wrong",
  "other key's signature": "signed with another key",
  "public key of another type": "the public key is of another type",
  "other public key": "the public key is another key's",
} as const;

export type Trouble = keyof typeof troubles;
