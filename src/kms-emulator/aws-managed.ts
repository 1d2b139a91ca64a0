/**
 * Aliases that every account lists for AWS services, sorted. They have no key until the service, or somebody's DescribeKey,
 * first uses them.
 */
export const awsManagedAliases: readonly string[] = [
  "alias/aws/acm",
  "alias/aws/dynamodb",
  "alias/aws/ebs",
  "alias/aws/elasticfilesystem",
  "alias/aws/lambda",
  "alias/aws/rds",
  "alias/aws/s3",
  "alias/aws/secretsmanager",
  "alias/aws/sns",
  "alias/aws/sqs",
  "alias/aws/ssm",
];
