package main

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/hashicorp/hcl"
	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type settings struct {
	Region             string `hcl:"region"`
	KeyIdentifierValue string `hcl:"key_identifier_value"`
}

// Configure finds the keys of this server by their aliases. The endpoint and the credentials are the environment's.
func (p *plugin) Configure(ctx context.Context, req *configv1.ConfigureRequest) (*configv1.ConfigureResponse, error) {
	var found settings
	if err := hcl.Decode(&found, req.HclConfiguration); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "unable to decode configuration: %v", err)
	}
	if found.Region == "" || found.KeyIdentifierValue == "" {
		return nil, status.Error(codes.InvalidArgument, "region and key_identifier_value are required")
	}
	awsConfig, err := config.LoadDefaultConfig(ctx, config.WithRegion(found.Region))
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to load the AWS configuration: %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.client = kms.NewFromConfig(awsConfig)
	domain := strings.ReplaceAll(req.GetCoreConfiguration().GetTrustDomain(), ".", "_")
	p.aliasPrefix = "alias/SPIRE_SERVER/" + domain + "/" + found.KeyIdentifierValue + "/"
	if p.entries, err = p.discover(ctx); err != nil {
		return nil, err
	}
	if os.Getenv("GO_PEER_SCAN") != "" {
		go p.scan(context.WithoutCancel(ctx))
	}
	return &configv1.ConfigureResponse{}, nil
}

// discover walks the account's aliases and loads the keys of those that are ours, side by side as the built-in does.
func (p *plugin) discover(ctx context.Context) (map[string]*entry, error) {
	entries := map[string]*entry{}
	var mu sync.Mutex
	var group sync.WaitGroup
	var failure error
	pages := kms.NewListAliasesPaginator(p.client, &kms.ListAliasesInput{Limit: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			group.Wait()
			return nil, status.Errorf(codes.Internal, "failed to list aliases: %v", err)
		}
		for _, alias := range page.Aliases {
			id, isOurs := strings.CutPrefix(aws.ToString(alias.AliasName), p.aliasPrefix)
			if !isOurs {
				continue
			}
			group.Add(1)
			go func() {
				defer group.Done()
				key, err := p.describe(ctx, id, alias)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failure = err
					return
				}
				entries[id] = key
			}()
		}
	}
	group.Wait()
	return entries, failure
}

func (p *plugin) describe(ctx context.Context, id string, alias types.AliasListEntry) (*entry, error) {
	output, err := p.client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: alias.AliasArn})
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to describe key: %v", err)
	}
	keyType, ok := keyTypeOf(output.KeyMetadata.KeySpec)
	if !ok || !output.KeyMetadata.Enabled {
		return nil, status.Errorf(codes.FailedPrecondition, "key of %q cannot be used", id)
	}
	return p.load(ctx, id, aws.ToString(alias.AliasName), aws.ToString(output.KeyMetadata.Arn), keyType)
}

// scan looks at every key of the account, one after another, as the built-in does every two days.
func (p *plugin) scan(ctx context.Context) {
	pages := kms.NewListKeysPaginator(p.client, &kms.ListKeysInput{Limit: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return
		}
		for _, key := range page.Keys {
			if _, err := p.client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key.KeyArn}); err != nil {
				return
			}
		}
	}
}

var keySpecs = map[keymanagerv1.KeyType]types.KeySpec{
	keymanagerv1.KeyType_EC_P256:  types.KeySpecEccNistP256,
	keymanagerv1.KeyType_EC_P384:  types.KeySpecEccNistP384,
	keymanagerv1.KeyType_RSA_2048: types.KeySpecRsa2048,
	keymanagerv1.KeyType_RSA_4096: types.KeySpecRsa4096,
}

func keyTypeOf(spec types.KeySpec) (keymanagerv1.KeyType, bool) {
	for keyType, of := range keySpecs {
		if of == spec {
			return keyType, true
		}
	}
	return 0, false
}

// signingAlgorithm is what a key signs a digest of this hash with.
func signingAlgorithm(keyType keymanagerv1.KeyType, req *keymanagerv1.SignDataRequest) (types.SigningAlgorithmSpec, error) {
	hash, isPSS := req.GetHashAlgorithm(), false
	if options := req.GetPssOptions(); options != nil {
		hash, isPSS = options.HashAlgorithm, true
	}
	isRSA := keyType == keymanagerv1.KeyType_RSA_2048 || keyType == keymanagerv1.KeyType_RSA_4096
	switch {
	case keyType == keymanagerv1.KeyType_EC_P256 && hash == keymanagerv1.HashAlgorithm_SHA256 && !isPSS:
		return types.SigningAlgorithmSpecEcdsaSha256, nil
	case keyType == keymanagerv1.KeyType_EC_P384 && hash == keymanagerv1.HashAlgorithm_SHA384 && !isPSS:
		return types.SigningAlgorithmSpecEcdsaSha384, nil
	case isRSA && hash == keymanagerv1.HashAlgorithm_SHA256 && isPSS:
		return types.SigningAlgorithmSpecRsassaPssSha256, nil
	case isRSA && hash == keymanagerv1.HashAlgorithm_SHA256:
		return types.SigningAlgorithmSpecRsassaPkcs1V15Sha256, nil
	}
	return "", status.Errorf(codes.InvalidArgument, "no signing algorithm for %s with %s", keyType, hash)
}
