"""A client of the emulator in Python: prints one JSON object."""

import json
import sys
from datetime import datetime, timezone
from hashlib import sha256

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, utils

endpoint = sys.argv[1]
results = {}


def client(service, access_key="AKIDPY", secret="py-secret", token=None):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-north-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=10, read_timeout=20),
    )


def code(call, **arguments):
    try:
        call(**arguments)
        return "ok"
    except ClientError as error:
        return [type(error).__name__, error.response["Error"]["Code"], error.response["Error"]["Message"]]


sts = client("sts")
results["caller"] = sts.get_caller_identity()["Arn"]
role = sts.assume_role(RoleArn="arn:aws:iam::111122223333:role/path/py", RoleSessionName="py-session", DurationSeconds=900)
credentials = role["Credentials"]
results["expiresInMinutes"] = round((credentials["Expiration"] - datetime.now(timezone.utc)).total_seconds() / 60)
session = (credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
results["session"] = client("sts", *session).get_caller_identity()["Arn"]

iam = client("iam", *session)
known = iam.get_role(RoleName="py")["Role"]
results["role"] = [known["Path"], known["Arn"], known["AssumeRolePolicyDocument"]["Statement"]["Effect"]]
results["noRole"] = code(iam.get_role, RoleName="no/role")[:2]

kms = client("kms", *session)
key = kms.create_key(
    KeySpec="RSA_2048",
    KeyUsage="SIGN_VERIFY",
    Description="from Python: né",
    Tags=[{"TagKey": "client", "TagValue": "python"}],
)["KeyMetadata"]
results["description"] = kms.describe_key(KeyId=key["Arn"])["KeyMetadata"]["Description"]
for name in ("alias/py/a", "alias/py/b", "alias/py/c"):
    kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
public_key = serialization.load_der_public_key(kms.get_public_key(KeyId="alias/py/a")["PublicKey"])
digest = sha256(b"signed by the emulator").digest()
signature = kms.sign(KeyId=key["KeyId"], Message=digest, MessageType="DIGEST", SigningAlgorithm="RSASSA_PSS_SHA_256")
# Raises InvalidSignature unless the salt is exactly as long as the digest.
public_key.verify(
    signature["Signature"],
    digest,
    padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
    utils.Prehashed(hashes.SHA256()),
)
pages = kms.get_paginator("list_aliases").paginate(KeyId=key["KeyId"], PaginationConfig={"PageSize": 2})
results["aliases"] = sum(len(page["Aliases"]) for page in pages)
tagging = client("resourcegroupstaggingapi", *session)
found = tagging.get_paginator("get_resources").paginate(TagFilters=[{"Key": "client", "Values": ["python"]}])
results["tagged"] = [entry["ResourceARN"] for page in found for entry in page["ResourceTagMappingList"]] == [key["Arn"]]

scheduled = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
results["deletionInHours"] = round((scheduled["DeletionDate"] - key["CreationDate"]).total_seconds() / 3600)
results["invalidState"] = code(kms.get_public_key, KeyId=key["KeyId"])[:2]
results["notFound"] = code(kms.describe_key, KeyId="fake")
results["unmodelled"] = code(kms.create_alias, AliasName="foo", TargetKeyId=key["KeyId"])[:2]
results["wrongSecret"] = code(client("kms", "AKIDPY", "wrong").list_keys)[1]
results["wrongSecretSts"] = code(client("sts", "AKIDPY", "wrong").get_caller_identity)[1]
results["presigned"] = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
print(json.dumps(results))
