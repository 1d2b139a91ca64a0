// Command go-peer is a SPIRE KeyManager plugin for AWS KMS in Go, to measure ours beside: its hot path is what SPIRE's
// built-in aws_kms plugin has, the Sign of the AWS SDK for Go v2 behind SPIRE's plugin SDK, under one lock of readers and
// writers. It is no product: it knows what the benchmark asks for and nothing else.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spiffe/spire-plugin-sdk/pluginmain"
	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// entry is a key of this server, under the id that SPIRE knows it by.
type entry struct {
	arn       string
	aliasName string
	publicKey *keymanagerv1.PublicKey
}

type plugin struct {
	keymanagerv1.UnimplementedKeyManagerServer
	configv1.UnimplementedConfigServer

	// mu is held by readers during a whole SignData and by the writer during a whole GenerateKey, as in the built-in: a key that
	// takes KMS a second to make keeps every signature waiting for that second.
	mu          sync.RWMutex
	client      *kms.Client
	aliasPrefix string
	entries     map[string]*entry
}

func main() {
	p := &plugin{}
	pluginmain.Serve(keymanagerv1.KeyManagerPluginServer(p), configv1.ConfigServiceServer(p))
}

// SignData asks KMS for one signature over the digest.
func (p *plugin) SignData(ctx context.Context, req *keymanagerv1.SignDataRequest) (*keymanagerv1.SignDataResponse, error) {
	if req.KeyId == "" {
		return nil, status.Error(codes.InvalidArgument, "key id is required")
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.client == nil {
		return nil, status.Error(codes.FailedPrecondition, "not configured")
	}
	key, ok := p.entries[req.KeyId]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no such key %q", req.KeyId)
	}
	algorithm, err := signingAlgorithm(key.publicKey.Type, req)
	if err != nil {
		return nil, err
	}
	output, err := p.client.Sign(ctx, &kms.SignInput{
		KeyId:            aws.String(key.arn),
		Message:          req.Data,
		MessageType:      types.MessageTypeDigest,
		SigningAlgorithm: algorithm,
	})
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to sign: %v", err)
	}
	return &keymanagerv1.SignDataResponse{Signature: output.Signature, KeyFingerprint: key.publicKey.Fingerprint}, nil
}

// GenerateKey makes a key and lets the alias of the id lead to it.
func (p *plugin) GenerateKey(ctx context.Context, req *keymanagerv1.GenerateKeyRequest) (*keymanagerv1.GenerateKeyResponse, error) {
	spec, ok := keySpecs[req.KeyType]
	if req.KeyId == "" || !ok {
		return nil, status.Error(codes.InvalidArgument, "key id and key type are required")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		return nil, status.Error(codes.FailedPrecondition, "not configured")
	}
	made, err := p.client.CreateKey(ctx, &kms.CreateKeyInput{KeySpec: spec, KeyUsage: types.KeyUsageTypeSignVerify})
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to create key: %v", err)
	}
	key, err := p.load(ctx, req.KeyId, p.aliasPrefix+req.KeyId, aws.ToString(made.KeyMetadata.Arn), req.KeyType)
	if err != nil {
		return nil, err
	}
	if err := p.pointAlias(ctx, key, p.entries[req.KeyId] != nil); err != nil {
		return nil, status.Errorf(codes.Internal, "failed to assign alias: %v", err)
	}
	p.entries[req.KeyId] = key
	return &keymanagerv1.GenerateKeyResponse{PublicKey: key.publicKey}, nil
}

func (p *plugin) pointAlias(ctx context.Context, key *entry, exists bool) (err error) {
	name, target := aws.String(key.aliasName), aws.String(key.arn)
	if exists {
		_, err = p.client.UpdateAlias(ctx, &kms.UpdateAliasInput{AliasName: name, TargetKeyId: target})
	} else {
		_, err = p.client.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: name, TargetKeyId: target})
	}
	return err
}

// load asks KMS for the public key of a key.
func (p *plugin) load(ctx context.Context, id, aliasName, arn string, keyType keymanagerv1.KeyType) (*entry, error) {
	output, err := p.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(arn)})
	if err != nil {
		return nil, status.Errorf(codes.Internal, "failed to get public key: %v", err)
	}
	sum := sha256.Sum256(output.PublicKey)
	publicKey := &keymanagerv1.PublicKey{Id: id, Type: keyType, PkixData: output.PublicKey, Fingerprint: hex.EncodeToString(sum[:])}
	return &entry{arn: arn, aliasName: aliasName, publicKey: publicKey}, nil
}

func (p *plugin) GetPublicKey(_ context.Context, req *keymanagerv1.GetPublicKeyRequest) (*keymanagerv1.GetPublicKeyResponse, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	response := &keymanagerv1.GetPublicKeyResponse{}
	if key, ok := p.entries[req.KeyId]; ok {
		response.PublicKey = key.publicKey
	}
	return response, nil
}

func (p *plugin) GetPublicKeys(context.Context, *keymanagerv1.GetPublicKeysRequest) (*keymanagerv1.GetPublicKeysResponse, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	response := &keymanagerv1.GetPublicKeysResponse{}
	for _, key := range p.entries {
		response.PublicKeys = append(response.PublicKeys, key.publicKey)
	}
	return response, nil
}
