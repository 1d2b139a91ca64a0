package main

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	wrapping "github.com/hashicorp/go-kms-wrapping/v2"
	vault "github.com/hashicorp/go-kms-wrapping/wrappers/awskms/v2"
)

// vaultDay is Vault's `seal "awskms"`: seal the root key, unseal with it after a restart. It calls through the AWS SDK for Go v1.
func vaultDay(ctx context.Context) (results, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	made, err := awskms.NewFromConfig(cfg).CreateKey(ctx, &awskms.CreateKeyInput{Description: aws.String("vault")})
	if err != nil {
		return nil, err
	}
	seal := func() (*vault.Wrapper, error) {
		wrapper := vault.NewWrapper()
		_, err := wrapper.SetConfig(ctx, wrapping.WithKeyId(aws.ToString(made.KeyMetadata.KeyId)),
			vault.WithEndpoint(os.Getenv("AWS_ENDPOINT_URL")), vault.WithRegion(os.Getenv("AWS_REGION")))
		return wrapper, err
	}
	first, err := seal()
	if err != nil {
		return nil, err
	}
	sealed, err := first.Encrypt(ctx, []byte("the root key"))
	if err != nil {
		return nil, err
	}
	second, err := seal()
	if err != nil {
		return nil, err
	}
	opened, err := second.Decrypt(ctx, sealed)
	if err != nil {
		return nil, err
	}
	id, err := second.KeyId(ctx)
	if err != nil {
		return nil, err
	}
	return results{"opened": string(opened) == "the root key", "keyId": id == aws.ToString(made.KeyMetadata.Arn) || id == aws.ToString(made.KeyMetadata.KeyId)}, nil
}
