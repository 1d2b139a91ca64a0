/**
 * Every error that the emulated services answer with. On KMS's JSON 1.1 wire all client faults are HTTP 400, whatever
 * the service model says (docs/aws-kms-behaviour.md, "Errors on the wire"); STS and IAM statuses are those of the
 * Query protocol.
 */
const statusOf = {
  // KMS, modelled
  AlreadyExistsException: 400,
  CloudHsmClusterNotFoundException: 400,
  ConflictException: 400,
  CustomKeyStoreNotFoundException: 400,
  DependencyTimeoutException: 503,
  DisabledException: 400,
  DryRunOperationException: 400,
  ExpiredImportTokenException: 400,
  IncorrectKeyException: 400,
  IncorrectKeyMaterialException: 400,
  InvalidAliasNameException: 400,
  InvalidArnException: 400,
  InvalidCiphertextException: 400,
  InvalidGrantIdException: 400,
  InvalidGrantTokenException: 400,
  InvalidImportTokenException: 400,
  InvalidKeyUsageException: 400,
  InvalidMarkerException: 400,
  KMSInternalException: 500,
  KMSInvalidMacException: 400,
  KMSInvalidSignatureException: 400,
  KMSInvalidStateException: 400,
  KeyUnavailableException: 500,
  LimitExceededException: 400,
  MalformedPolicyDocumentException: 400,
  NotAuthorizedException: 400,
  NotFoundException: 400,
  TagException: 400,
  UnsupportedOperationException: 400,
  XksProxyUriUnreachableException: 400,
  // common to KMS and tagging, not modelled
  AccessDeniedException: 400,
  ExpiredTokenException: 400,
  IncompleteSignatureException: 400,
  InternalFailure: 500,
  InvalidSignatureException: 400,
  MissingAuthenticationTokenException: 400,
  RequestEntityTooLargeException: 413,
  SerializationException: 400,
  ServiceUnavailable: 503,
  ThrottlingException: 400,
  UnknownOperationException: 400,
  UnrecognizedClientException: 400,
  UnsupportedMediaTypeException: 415,
  ValidationException: 400,
  // Resource Groups Tagging
  InternalServiceException: 500,
  InvalidParameterException: 400,
  PaginationTokenExpiredException: 400,
  ThrottledException: 400,
  // STS and IAM
  AccessDenied: 403,
  ExpiredToken: 403,
  IDPCommunicationError: 400,
  IDPRejectedClaim: 403,
  IncompleteSignature: 400,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MalformedPolicyDocument: 400,
  MissingAuthenticationToken: 403,
  PackedPolicyTooLarge: 400,
  NoSuchEntity: 404,
  RegionDisabledException: 403,
  ServiceFailure: 500,
  SignatureDoesNotMatch: 403,
  Throttling: 400,
  ValidationError: 400,
} as const satisfies Record<string, number>;

export type ExceptionCode = keyof typeof statusOf;

/** An error answer of an emulated AWS service. `name` is the wire code, as the AWS SDKs present it. */
export class AwsException extends Error {
  /** The wire code: the shape name for JSON 1.1, `Error.Code` for STS and IAM. */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  /** False for the few exceptions that AWS sends without any message member. */
  readonly hasMessage: boolean;

  /** `code` is open only for injected faults, which may name any exception; `status` defaults to AWS's. */
  constructor(
    code: ExceptionCode | (string & {}),
    message?: string,
    options: { status?: number; cause?: unknown } = {},
  ) {
    super(message ?? "", options.cause === undefined ? undefined : { cause: options.cause });
    this.name = code;
    this.code = code;
    this.hasMessage = message !== undefined;
    this.status = options.status ?? (statusOf as Record<string, number>)[code] ?? 400;
  }
}

/** NotFoundException; the texts were recorded from AWS (docs/aws-kms-behaviour.md, "Identifiers"). */
export const notFound = (message: string): AwsException => new AwsException("NotFoundException", message);

/** ValidationException with free text: a rule beyond the service model's constraints. */
export const invalid = (message: string): AwsException => new AwsException("ValidationException", message);
