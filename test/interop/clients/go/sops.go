package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/kms"
)

// sopsDay is what `sops encrypt --kms ARN --encryption-context …` and `sops decrypt` do with a file: a data key that KMS keeps,
// and every value under it. Once with the caller's own permissions, and once through a role.
func sopsDay(ctx context.Context) (results, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	made, err := awskms.NewFromConfig(cfg).CreateKey(ctx, &awskms.CreateKeyInput{Description: aws.String("sops")})
	if err != nil {
		return nil, err
	}
	arn := aws.ToString(made.KeyMetadata.Arn)
	role := fmt.Sprintf("arn:aws:iam::%s:role/sops", aws.ToString(made.KeyMetadata.AWSAccountId))
	meaning := map[string]*string{"app": aws.String("web"), "stage": aws.String("test")}
	for _, assumed := range []string{"", role} {
		if err := sopsFile(ctx, arn, assumed, meaning); err != nil {
			return nil, fmt.Errorf("role %q: %w", assumed, err)
		}
	}
	return results{"opened": true}, nil
}

func sopsFile(ctx context.Context, arn, role string, meaning map[string]*string) error {
	dataKey := make([]byte, 32)
	if _, err := rand.Read(dataKey); err != nil {
		return err
	}
	master := kms.NewMasterKey(arn, role, meaning)
	if err := master.EncryptContext(ctx, dataKey); err != nil {
		return err
	}
	cipher := aes.NewCipher()
	secret, err := cipher.Encrypt("the password", dataKey, "db:password:")
	if err != nil {
		return err
	}
	// Another day, another process: only what stands in the file is known.
	again := kms.NewMasterKey(arn, role, meaning)
	again.SetEncryptedDataKey(master.EncryptedDataKey())
	opened, err := again.DecryptContext(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(opened, dataKey) {
		return errors.New("another data key came back")
	}
	plain, err := cipher.Decrypt(secret, opened, "db:password:")
	if err != nil || plain != "the password" {
		return fmt.Errorf("the value came back as %v: %v", plain, err)
	}
	other := kms.NewMasterKey(arn, role, map[string]*string{"app": aws.String("other")})
	other.SetEncryptedDataKey(master.EncryptedDataKey())
	if _, err := other.DecryptContext(ctx); err == nil {
		return errors.New("the data key was opened with another encryption context")
	}
	return nil
}
