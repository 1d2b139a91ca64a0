"""What a program does with the AWS Encryption SDK: envelopes under two keys, opened with either of them, and with a cache."""
import json

import aws_encryption_sdk
import boto3
import botocore.session
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

kms = boto3.client("kms")
first, second = (kms.create_key(Description="envelopes")["KeyMetadata"]["Arn"] for _ in range(2))
session = botocore.session.Session()
client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


def provider(*arns):
    return aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=list(arns), botocore_session=session)


context = {"app": "web", "stage": "test"}
plaintext = b"some megabytes, in real life" * 1000
envelope, _ = client.encrypt(source=plaintext, key_provider=provider(first, second), encryption_context=context)
seen = {}
for name, arns in {"both": (first, second), "second": (second,)}.items():
    opened, header = client.decrypt(source=envelope, key_provider=provider(*arns))
    seen[name] = opened == plaintext and context.items() <= header.encryption_context.items()
try:
    third = kms.create_key()["KeyMetadata"]["Arn"]
    client.decrypt(source=envelope, key_provider=provider(third))
    seen["stranger"] = "opened"
except AWSEncryptionSDKClientError as error:
    seen["stranger"] = type(error).__name__

cache = aws_encryption_sdk.LocalCryptoMaterialsCache(10)
manager = aws_encryption_sdk.CachingCryptoMaterialsManager(
    master_key_provider=provider(first), cache=cache, max_age=60.0, max_messages_encrypted=10
)
cached = [client.encrypt(source=plaintext, materials_manager=manager)[0] for _ in range(3)]
seen["cached"] = all(client.decrypt(source=one, materials_manager=manager)[0] == plaintext for one in cached)
print(json.dumps(seen))
