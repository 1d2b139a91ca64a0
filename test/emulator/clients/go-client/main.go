// A client of the emulator in Go: what SPIRE's own plugin would do, with the SDK that it uses. Prints one JSON object.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	taggingtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func errorCode(err error) string {
	var apiError smithy.APIError
	if errors.As(err, &apiError) {
		return apiError.ErrorCode()
	}
	return fmt.Sprint(err)
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	config := aws.Config{
		Region:       "eu-north-1",
		BaseEndpoint: aws.String(os.Args[1]),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDGO", "go-secret", ""),
	}
	results := map[string]any{}

	stsClient := sts.NewFromConfig(config)
	results["caller"] = *must(stsClient.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn
	role := must(stsClient.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::111122223333:role/path/go"), RoleSessionName: aws.String("go-session"),
		Policy: aws.String(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`),
	}))
	results["expiresInMinutes"] = int(time.Until(*role.Credentials.Expiration).Round(time.Minute).Minutes())
	config.Credentials = credentials.NewStaticCredentialsProvider(
		*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken)
	results["session"] = *must(sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})).Arn

	client := kms.NewFromConfig(config)
	key := must(client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: kmstypes.KeySpecEccNistP256, KeyUsage: kmstypes.KeyUsageTypeSignVerify, Description: aws.String("from Go"),
		Tags: []kmstypes.Tag{{TagKey: aws.String("client"), TagValue: aws.String("go")}},
	})).KeyMetadata
	results["created"] = key.CreationDate.UnixMilli()
	for _, name := range []string{"alias/go/a", "alias/go/b", "alias/go/c"} {
		must(client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(name), TargetKeyId: key.KeyId}))
	}
	public := must(client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String("alias/go/a")}))
	digest := sha256.Sum256([]byte("signed by the emulator"))
	signed := must(client.Sign(ctx, &kms.SignInput{
		KeyId: key.Arn, Message: digest[:], MessageType: kmstypes.MessageTypeDigest,
		SigningAlgorithm: kmstypes.SigningAlgorithmSpecEcdsaSha256,
	}))
	publicKey := must(x509.ParsePKIXPublicKey(public.PublicKey)).(*ecdsa.PublicKey)
	results["verified"] = ecdsa.VerifyASN1(publicKey, digest[:], signed.Signature)

	aliases := 0
	for pages := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{KeyId: key.KeyId, Limit: aws.Int32(2)}); pages.HasMorePages(); {
		aliases += len(must(pages.NextPage(ctx)).Aliases)
	}
	results["aliases"] = aliases
	resources := must(tagging.NewFromConfig(config).GetResources(ctx, &tagging.GetResourcesInput{
		TagFilters:          []taggingtypes.TagFilter{{Key: aws.String("client"), Values: []string{"go"}}},
		ResourceTypeFilters: []string{"kms:key"},
	}))
	results["tagged"] = *resources.ResourceTagMappingList[0].ResourceARN == *key.Arn && *resources.PaginationToken == ""

	scheduled := must(client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: aws.Int32(7)}))
	results["deletionInHours"] = int(scheduled.DeletionDate.Sub(*key.CreationDate).Round(time.Hour).Hours())
	_, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: key.KeyId})
	var invalidState *kmstypes.KMSInvalidStateException
	results["invalidState"] = errors.As(err, &invalidState) && invalidState.ErrorMessage() == *key.Arn+" is pending deletion."
	_, err = client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("fake")})
	var notFound *kmstypes.NotFoundException
	results["notFound"] = errors.As(err, &notFound) && notFound.ErrorMessage() == "Invalid keyId 'fake'"
	_, err = client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("foo"), TargetKeyId: key.KeyId})
	results["unmodelled"] = errorCode(err)

	config.Credentials = credentials.NewStaticCredentialsProvider("AKIDGO", "wrong", "")
	_, err = kms.NewFromConfig(config).ListKeys(ctx, &kms.ListKeysInput{})
	results["wrongSecret"] = errorCode(err)
	_, err = sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	results["wrongSecretSts"] = errorCode(err)
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		os.Exit(1)
	}
}
