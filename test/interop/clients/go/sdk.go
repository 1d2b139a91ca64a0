package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// awsSdk is what a service does that signs, encrypts and looks after its keys.
func awsSdk(ctx context.Context) (results, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, err
	}
	client := kms.NewFromConfig(cfg)
	signed, err := signWithSdk(ctx, client)
	if err != nil {
		return nil, err
	}
	opened, err := encryptWithSdk(ctx, client)
	if err != nil {
		return nil, err
	}
	checked, err := macWithSdk(ctx, client)
	if err != nil {
		return nil, err
	}
	return results{"account": aws.ToString(caller.Account), "signed": signed, "opened": opened, "mac": checked}, nil
}

func signWithSdk(ctx context.Context, client *kms.Client) (bool, error) {
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: types.KeySpecEccNistP256, KeyUsage: types.KeyUsageTypeSignVerify, Description: aws.String("Go SDK"),
	})
	if err != nil {
		return false, err
	}
	alias := aws.String("alias/go-sdk")
	if _, err := client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: alias, TargetKeyId: made.KeyMetadata.KeyId}); err != nil {
		return false, err
	}
	digest := sha256.Sum256([]byte("from Go"))
	signed, err := client.Sign(ctx, &kms.SignInput{
		KeyId: alias, Message: digest[:], MessageType: types.MessageTypeDigest, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	if err != nil {
		return false, err
	}
	public, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: alias})
	if err != nil {
		return false, err
	}
	key, err := x509.ParsePKIXPublicKey(public.PublicKey)
	if err != nil {
		return false, err
	}
	if _, err := client.Verify(ctx, &kms.VerifyInput{
		KeyId: alias, Message: digest[:], MessageType: types.MessageTypeDigest, Signature: signed.Signature,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	}); err != nil {
		return false, err
	}
	if err := listWithSdk(ctx, client, *alias); err != nil {
		return false, err
	}
	_, err = client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: made.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(7)})
	if err != nil {
		return false, err
	}
	_, err = client.Sign(ctx, &kms.SignInput{
		KeyId: made.KeyMetadata.KeyId, Message: digest[:], MessageType: types.MessageTypeDigest,
		SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256,
	})
	var invalid *types.KMSInvalidStateException
	if !errors.As(err, &invalid) {
		return false, fmt.Errorf("signing with a key pending deletion: %v", err)
	}
	return ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), digest[:], signed.Signature), nil
}

// listWithSdk finds the alias by pages of one.
func listWithSdk(ctx context.Context, client *kms.Client, alias string) error {
	pages := kms.NewListAliasesPaginator(client, &kms.ListAliasesInput{Limit: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, entry := range page.Aliases {
			if aws.ToString(entry.AliasName) == alias {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not listed", alias)
}

func encryptWithSdk(ctx context.Context, client *kms.Client) (bool, error) {
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		return false, err
	}
	meaning := map[string]string{"purpose": "go"}
	data, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: made.KeyMetadata.Arn, KeySpec: types.DataKeySpecAes256, EncryptionContext: meaning,
	})
	if err != nil {
		return false, err
	}
	opened, err := client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob, EncryptionContext: meaning})
	if err != nil {
		return false, err
	}
	_, err = client.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: data.CiphertextBlob})
	var invalid *types.InvalidCiphertextException
	if !errors.As(err, &invalid) {
		return false, fmt.Errorf("decrypting without the context: %v", err)
	}
	return bytes.Equal(opened.Plaintext, data.Plaintext), nil
}

func macWithSdk(ctx context.Context, client *kms.Client) (bool, error) {
	made, err := client.CreateKey(ctx, &kms.CreateKeyInput{
		KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac,
	})
	if err != nil {
		return false, err
	}
	mac, err := client.GenerateMac(ctx, &kms.GenerateMacInput{
		KeyId: made.KeyMetadata.KeyId, Message: []byte("token"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	})
	if err != nil {
		return false, err
	}
	checked, err := client.VerifyMac(ctx, &kms.VerifyMacInput{
		KeyId: made.KeyMetadata.KeyId, Message: []byte("token"), Mac: mac.Mac, MacAlgorithm: types.MacAlgorithmSpecHmacSha256,
	})
	if err != nil {
		return false, err
	}
	return checked.MacValid, nil
}
