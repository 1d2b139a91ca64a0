"""What a script with boto3 does with KMS. Endpoint, Region, credentials and trust come from the environment."""
import json

import boto3
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

kms = boto3.client("kms")
seen = {"account": boto3.client("sts").get_caller_identity()["Account"]}


def code_of(call, **arguments):
    try:
        call(**arguments)
        return None
    except ClientError as error:
        return error.response["Error"]["Code"]


# A key that signs, found by its alias.
made = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Tags=[{"TagKey": "team", "TagValue": "web"}])
key_id = made["KeyMetadata"]["KeyId"]
kms.create_alias(AliasName="alias/boto3", TargetKeyId=key_id)
message = b"from boto3"
algorithm = "RSASSA_PSS_SHA_256"
signature = kms.sign(KeyId="alias/boto3", Message=message, SigningAlgorithm=algorithm)["Signature"]
public = serialization.load_der_public_key(kms.get_public_key(KeyId="alias/boto3")["PublicKey"])
try:
    public.verify(signature, message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    seen["signed"] = True
except InvalidSignature:
    seen["signed"] = False
seen["forged"] = code_of(
    kms.verify, KeyId=key_id, Message=b"other", Signature=signature, SigningAlgorithm=algorithm
)

# Listings by pages.
names = [alias["AliasName"] for page in kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}) for alias in page["Aliases"]]
seen["listed"] = "alias/boto3" in names and len(names) == len(set(names))
seen["keys"] = key_id in [key["KeyId"] for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1}) for key in page["Keys"]]
seen["tags"] = kms.list_resource_tags(KeyId=key_id)["Tags"]

# A key that encrypts, a data key, a grant for another role.
secret = kms.create_key(Description="encrypts")["KeyMetadata"]
context = {"app": "web"}
data = kms.generate_data_key(KeyId=secret["Arn"], KeySpec="AES_256", EncryptionContext=context)
opened = kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=context)
seen["opened"] = opened["Plaintext"] == data["Plaintext"] and opened["KeyId"] == secret["Arn"]
seen["without context"] = code_of(kms.decrypt, CiphertextBlob=data["CiphertextBlob"])
small = kms.encrypt(KeyId=secret["KeyId"], Plaintext=b"password")["CiphertextBlob"]
other = kms.create_key()["KeyMetadata"]["KeyId"]
moved = kms.re_encrypt(CiphertextBlob=small, DestinationKeyId=other)
seen["moved"] = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=other)["Plaintext"] == b"password"
role = f"arn:aws:iam::{seen['account']}:role/reader"
grant = kms.create_grant(KeyId=secret["KeyId"], GranteePrincipal=role, Operations=["Decrypt"])
seen["granted"] = [entry["GrantId"] for entry in kms.list_grants(KeyId=secret["KeyId"])["Grants"]] == [grant["GrantId"]]
kms.revoke_grant(KeyId=secret["KeyId"], GrantId=grant["GrantId"])
seen["random"] = len(kms.generate_random(NumberOfBytes=24)["Plaintext"])

# The end of a key.
kms.disable_key(KeyId=key_id)
seen["disabled"] = code_of(kms.sign, KeyId=key_id, Message=message, SigningAlgorithm=algorithm)
kms.enable_key(KeyId=key_id)
kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
seen["state"] = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
kms.cancel_key_deletion(KeyId=key_id)
seen["rescued"] = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
print(json.dumps(seen))
