package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// terraformDay makes the calls of terraform-provider-aws for aws_kms_key, aws_kms_alias and aws_kms_replica_key, in its order and
// with its waiters (internal/service/kms: key.go, alias.go, replica_key.go, wait.go; the provider itself is a binary of half a
// gigabyte that no package registry has): plan, apply, plan again without a difference, change, destroy.
func terraformDay(ctx context.Context) (results, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	caller, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, err
	}
	replicaRegion := "eu-west-1"
	provider := terraform{
		kms:           kms.NewFromConfig(cfg),
		replicas:      kms.NewFromConfig(cfg, func(options *kms.Options) { options.Region = replicaRegion }),
		replicaRegion: replicaRegion,
		account:       aws.ToString(caller.Account),
	}
	for _, step := range []func(context.Context) error{
		provider.symmetricKey, provider.signingKey, provider.multiRegionKey,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return results{"destroyed": provider.destroyed}, nil
}

type terraform struct {
	kms, replicas *kms.Client
	replicaRegion string
	account       string
	destroyed     int
}

// eventually is the provider's StateChangeConf with ContinuousTargetOccurence: what it looks for must hold so many times in a row.
func eventually(ctx context.Context, what string, times int, holds func() (bool, error)) error {
	for inRow, attempt := 0, 0; attempt < 600; attempt++ {
		ok, err := holds()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			inRow++
		} else {
			inRow = 0
		}
		if inRow == times {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s: not seen", what)
}

func (p *terraform) policy(sid string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":%q,"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, sid, p.account)
}

// read is resourceKeyRead: all that a plan compares.
func (p *terraform) read(ctx context.Context, client *kms.Client, id *string) (*types.KeyMetadata, string, map[string]string, error) {
	described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	if err != nil {
		return nil, "", nil, err
	}
	policy, err := client.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: id, PolicyName: aws.String("default")})
	if err != nil {
		return nil, "", nil, err
	}
	meta := described.KeyMetadata
	if meta.Origin == types.OriginTypeAwsKms && meta.KeySpec == types.KeySpecSymmetricDefault {
		if _, err := client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id}); err != nil {
			return nil, "", nil, err
		}
	}
	tags := map[string]string{}
	pages := kms.NewListResourceTagsPaginator(client, &kms.ListResourceTagsInput{KeyId: id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, "", nil, err
		}
		for _, tag := range page.Tags {
			tags[aws.ToString(tag.TagKey)] = aws.ToString(tag.TagValue)
		}
	}
	return meta, aws.ToString(policy.Policy), tags, nil
}

func samePolicy(left, right string) bool {
	var one, other any
	if json.Unmarshal([]byte(left), &one) != nil || json.Unmarshal([]byte(right), &other) != nil {
		return false
	}
	return reflect.DeepEqual(one, other)
}

// settled waits for what was just written: policy, tags, description, state.
func (p *terraform) settled(ctx context.Context, client *kms.Client, id *string, state types.KeyState, policy string, tags map[string]string) error {
	return eventually(ctx, "key as configured", 5, func() (bool, error) {
		meta, seen, seenTags, err := p.read(ctx, client, id)
		if err != nil {
			return false, err
		}
		return meta.KeyState == state && samePolicy(seen, policy) && reflect.DeepEqual(seenTags, tags), nil
	})
}

func (p *terraform) create(ctx context.Context, input *kms.CreateKeyInput) (*types.KeyMetadata, error) {
	input.BypassPolicyLockoutSafetyCheck = false
	input.CustomerMasterKeySpec = types.CustomerMasterKeySpec(input.KeySpec)
	input.KeySpec = ""
	made, err := p.kms.CreateKey(ctx, input)
	if err != nil {
		return nil, err
	}
	return made.KeyMetadata, nil
}

func (p *terraform) destroy(ctx context.Context, client *kms.Client, id *string, pending types.KeyState) error {
	window := aws.Int32(7)
	if _, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: window}); err != nil {
		return err
	}
	p.destroyed++
	if err := eventually(ctx, "deletion", 1, func() (bool, error) {
		described, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
		if err != nil {
			return false, err
		}
		return described.KeyMetadata.KeyState == pending, nil
	}); err != nil {
		return err
	}
	// A second destroy is told that there is nothing to do.
	_, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: window})
	var invalid *types.KMSInvalidStateException
	if !errors.As(err, &invalid) {
		return fmt.Errorf("a second deletion: %v", err)
	}
	return nil
}

// symmetricKey is an aws_kms_key with rotation, a policy and tags that change, and an alias that moves.
func (p *terraform) symmetricKey(ctx context.Context) error {
	policy, tags := p.policy("first"), map[string]string{"team": "web", "managed": "terraform"}
	meta, err := p.create(ctx, &kms.CreateKeyInput{
		KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecSymmetricDefault, Description: aws.String("of Terraform"),
		Policy: aws.String(policy), MultiRegion: aws.Bool(false),
		Tags: []types.Tag{
			{TagKey: aws.String("team"), TagValue: aws.String("web")}, {TagKey: aws.String("managed"), TagValue: aws.String("terraform")},
		},
	})
	if err != nil {
		return err
	}
	id := meta.KeyId
	if _, err := p.kms.EnableKeyRotation(ctx, &kms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: aws.Int32(180)}); err != nil {
		return err
	}
	if err := eventually(ctx, "rotation", 5, func() (bool, error) {
		status, err := p.kms.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: id})
		if err != nil {
			return false, err
		}
		return status.KeyRotationEnabled && aws.ToInt32(status.RotationPeriodInDays) == 180, nil
	}); err != nil {
		return err
	}
	if err := p.settled(ctx, p.kms, id, types.KeyStateEnabled, policy, tags); err != nil {
		return err
	}
	if err := p.change(ctx, id); err != nil {
		return err
	}
	if err := p.alias(ctx, id); err != nil {
		return err
	}
	return p.destroy(ctx, p.kms, id, types.KeyStatePendingDeletion)
}

// change is resourceKeyUpdate: off and on again, rotation off, another description, another policy, other tags.
func (p *terraform) change(ctx context.Context, id *string) error {
	if _, err := p.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: id}); err != nil {
		return err
	}
	if _, err := p.kms.EnableKey(ctx, &kms.EnableKeyInput{KeyId: id}); err != nil {
		return err
	}
	if _, err := p.kms.DisableKeyRotation(ctx, &kms.DisableKeyRotationInput{KeyId: id}); err != nil {
		return err
	}
	if _, err := p.kms.UpdateKeyDescription(ctx, &kms.UpdateKeyDescriptionInput{KeyId: id, Description: aws.String("changed")}); err != nil {
		return err
	}
	policy := p.policy("second")
	if _, err := p.kms.PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{
		KeyId: id, PolicyName: aws.String("default"), Policy: aws.String(policy), BypassPolicyLockoutSafetyCheck: false,
	}); err != nil {
		return err
	}
	if _, err := p.kms.UntagResource(ctx, &kms.UntagResourceInput{KeyId: id, TagKeys: []string{"managed"}}); err != nil {
		return err
	}
	if _, err := p.kms.TagResource(ctx, &kms.TagResourceInput{
		KeyId: id, Tags: []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("api")}},
	}); err != nil {
		return err
	}
	if err := p.settled(ctx, p.kms, id, types.KeyStateEnabled, policy, map[string]string{"team": "api"}); err != nil {
		return err
	}
	meta, _, _, err := p.read(ctx, p.kms, id)
	if err != nil {
		return err
	}
	if aws.ToString(meta.Description) != "changed" {
		return fmt.Errorf("the description is %q", aws.ToString(meta.Description))
	}
	return nil
}

// alias is resourceAliasCreate, Read, Update, Delete: the provider finds an alias by listing all of them.
func (p *terraform) alias(ctx context.Context, id *string) error {
	name := aws.String("alias/of-terraform")
	if _, err := p.kms.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: id}); err != nil {
		return err
	}
	if err := p.aliasOn(ctx, name, id); err != nil {
		return err
	}
	other, err := p.create(ctx, &kms.CreateKeyInput{KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecSymmetricDefault})
	if err != nil {
		return err
	}
	if _, err := p.kms.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: other.KeyId}); err != nil {
		return err
	}
	if err := p.aliasOn(ctx, name, other.KeyId); err != nil {
		return err
	}
	if _, err := p.kms.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name}); err != nil {
		return err
	}
	_, err = p.kms.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: name})
	var missing *types.NotFoundException
	if !errors.As(err, &missing) {
		return fmt.Errorf("an alias that is not there was deleted: %v", err)
	}
	return p.destroy(ctx, p.kms, other.KeyId, types.KeyStatePendingDeletion)
}

func (p *terraform) aliasOn(ctx context.Context, name, id *string) error {
	return eventually(ctx, "alias", 1, func() (bool, error) {
		pages := kms.NewListAliasesPaginator(p.kms, &kms.ListAliasesInput{})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return false, err
			}
			for _, alias := range page.Aliases {
				if aws.ToString(alias.AliasName) == aws.ToString(name) {
					return aws.ToString(alias.TargetKeyId) == aws.ToString(id), nil
				}
			}
		}
		return false, nil
	})
}

// signingKey is an aws_kms_key that begins disabled.
func (p *terraform) signingKey(ctx context.Context) error {
	meta, err := p.create(ctx, &kms.CreateKeyInput{KeyUsage: types.KeyUsageTypeSignVerify, KeySpec: types.KeySpecEccNistP256})
	if err != nil {
		return err
	}
	if _, err := p.kms.DisableKey(ctx, &kms.DisableKeyInput{KeyId: meta.KeyId}); err != nil {
		return err
	}
	if err := eventually(ctx, "disabled", 20, func() (bool, error) {
		described, err := p.kms.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: meta.KeyId})
		if err != nil {
			return false, err
		}
		return !described.KeyMetadata.Enabled, nil
	}); err != nil {
		return err
	}
	return p.destroy(ctx, p.kms, meta.KeyId, types.KeyStatePendingDeletion)
}

// multiRegionKey is an aws_kms_key with multi_region, and an aws_kms_replica_key of it in another Region.
func (p *terraform) multiRegionKey(ctx context.Context) error {
	meta, err := p.create(ctx, &kms.CreateKeyInput{
		KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecSymmetricDefault, MultiRegion: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	policy := p.policy("replica")
	made, err := p.kms.ReplicateKey(ctx, &kms.ReplicateKeyInput{
		KeyId: meta.KeyId, ReplicaRegion: aws.String(p.replicaRegion), Description: aws.String("replica"), Policy: aws.String(policy),
		Tags: []types.Tag{{TagKey: aws.String("role"), TagValue: aws.String("replica")}},
	})
	if err != nil {
		return err
	}
	id := made.ReplicaKeyMetadata.KeyId
	if aws.ToString(id) != aws.ToString(meta.KeyId) {
		return fmt.Errorf("the replica's id is %s", aws.ToString(id))
	}
	if err := p.settled(ctx, p.replicas, id, types.KeyStateEnabled, policy, map[string]string{"role": "replica"}); err != nil {
		return err
	}
	described, err := p.replicas.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: id})
	if err != nil {
		return err
	}
	configuration := described.KeyMetadata.MultiRegionConfiguration
	if configuration.MultiRegionKeyType != types.MultiRegionKeyTypeReplica || aws.ToString(configuration.PrimaryKey.Arn) != aws.ToString(meta.Arn) {
		return fmt.Errorf("the replica's primary is %v", aws.ToString(configuration.PrimaryKey.Arn))
	}
	if err := p.destroy(ctx, p.replicas, id, types.KeyStatePendingDeletion); err != nil {
		return err
	}
	return p.destroy(ctx, p.kms, meta.KeyId, types.KeyStatePendingReplicaDeletion)
}
