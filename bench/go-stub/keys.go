package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

const account = "arn:aws:kms:us-east-2:111122223333:"

// created lies before every threshold of age, so that a scan looks at the keys.
var created = float64(time.Now().Add(-60 * 24 * time.Hour).Unix())

// signaturesKept bounds what is signed once: a driver that asks for the same digests again is not kept waiting by RSA.
const signaturesKept = 4096

type key struct {
	id, spec string
	// deletion is when it goes, in seconds; 0: it stays.
	deletion float64
	signer   crypto.Signer
	public   []byte
	mu       sync.Mutex
	signed   map[string][]byte
}

type keyStore struct {
	mu      sync.Mutex
	keys    map[string]*key
	aliases map[string]*key
	pool    map[string]*key
}

func newKeyStore() *keyStore {
	return &keyStore{keys: map[string]*key{}, aliases: map[string]*key{}, pool: map[string]*key{}}
}

func makeSigner(spec string) (crypto.Signer, error) {
	switch spec {
	case "ECC_NIST_P256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ECC_NIST_P384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "RSA_4096":
		return rsa.GenerateKey(rand.Reader, 4096)
	}
	return nil, fmt.Errorf("no key spec %q", spec)
}

func newKey(spec string) (*key, error) {
	signer, err := makeSigner(spec)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	id := fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
	return &key{id: id, spec: spec, signer: signer, public: public, signed: map[string][]byte{}}, nil
}

// reset puts these aliases in the place of all. An RSA key takes a second to make: one of each name and spec serves again.
func (s *keyStore) reset(aliases []alias) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.aliases = map[string]*key{}, map[string]*key{}
	for _, wanted := range aliases {
		name := wanted.Spec + " " + wanted.Name
		if s.pool[name] == nil {
			made, err := newKey(wanted.Spec)
			if err != nil {
				continue
			}
			s.pool[name] = made
		}
		s.keys[s.pool[name].id], s.aliases[wanted.Name] = s.pool[name], s.pool[name]
	}
}

// find knows a key by its id, its ARN, its alias or its alias's ARN.
func (s *keyStore) find(id string) *key {
	s.mu.Lock()
	defer s.mu.Unlock()
	id = strings.TrimPrefix(id, account)
	if found := s.aliases[id]; found != nil {
		return found
	}
	return s.keys[strings.TrimPrefix(id, "key/")]
}

type request struct {
	KeyId, KeySpec, SigningAlgorithm, AliasName, TargetKeyId string
	Message                                                  []byte
}

type fields map[string]any

func (s *keyStore) perform(operation string, body []byte, now options) ([]byte, error) {
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	switch operation {
	case "ListAliases":
		return json.Marshal(fields{"Aliases": s.listAliases(in.KeyId), "Truncated": false})
	case "ListKeys":
		return json.Marshal(fields{"Keys": s.listKeys(now.ForeignKeys), "Truncated": false})
	case "ListResourceTags":
		return json.Marshal(fields{"Tags": []fields{}, "Truncated": false})
	case "CreateKey":
		return s.createKey(in.KeySpec)
	case "CreateAlias", "UpdateAlias":
		return []byte("{}"), s.pointAlias(in.AliasName, in.TargetKeyId)
	case "Sign", "GetPublicKey", "DescribeKey", "ScheduleKeyDeletion":
		return s.ofKey(operation, in)
	}
	return []byte("{}"), nil
}

func (s *keyStore) ofKey(operation string, in request) ([]byte, error) {
	found := s.find(in.KeyId)
	if found == nil && operation == "DescribeKey" && strings.Contains(in.KeyId, foreignId) {
		id := in.KeyId[strings.LastIndex(in.KeyId, "/")+1:]
		return json.Marshal(fields{"KeyMetadata": metadata(id, "ECC_NIST_P256", "a key of another application")})
	}
	if found == nil {
		return nil, fmt.Errorf("key %q does not exist", in.KeyId)
	}
	arn := account + "key/" + found.id
	switch operation {
	case "DescribeKey":
		return json.Marshal(fields{"KeyMetadata": s.describe(found)})
	case "ScheduleKeyDeletion":
		return json.Marshal(fields{"KeyId": arn, "KeyState": "PendingDeletion", "DeletionDate": s.scheduleDeletion(found)})
	case "GetPublicKey":
		return json.Marshal(fields{"KeyId": arn, "KeySpec": found.spec, "KeyUsage": "SIGN_VERIFY", "PublicKey": found.public})
	}
	signature, err := found.sign(in.SigningAlgorithm, in.Message)
	if err != nil {
		return nil, err
	}
	return json.Marshal(fields{"KeyId": arn, "Signature": signature, "SigningAlgorithm": in.SigningAlgorithm})
}

func (s *keyStore) describe(k *key) fields {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := metadata(k.id, k.spec, "SPIRE_SERVER/example.org")
	if k.deletion != 0 {
		told["Enabled"], told["KeyState"], told["DeletionDate"] = false, "PendingDeletion", k.deletion
	}
	return told
}

func (s *keyStore) scheduleDeletion(k *key) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.deletion = float64(time.Now().Add(7 * 24 * time.Hour).Unix())
	return k.deletion
}

func (k *key) sign(algorithm string, digest []byte) ([]byte, error) {
	name := algorithm + string(digest)
	k.mu.Lock()
	kept := k.signed[name]
	k.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	var how crypto.SignerOpts = crypto.SHA256
	if strings.HasSuffix(algorithm, "384") {
		how = crypto.SHA384
	}
	if strings.Contains(algorithm, "PSS") {
		how = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: how.HashFunc()}
	}
	signature, err := k.signer.Sign(rand.Reader, digest, how)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.signed) < signaturesKept {
		k.signed[name] = signature
	}
	return signature, nil
}

func (s *keyStore) createKey(spec string) ([]byte, error) {
	made, err := newKey(spec)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[made.id] = made
	return json.Marshal(fields{"KeyMetadata": metadata(made.id, spec, "")})
}

func (s *keyStore) pointAlias(name, target string) error {
	found := s.find(target)
	if found == nil {
		return fmt.Errorf("key %q does not exist", target)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[name] = found
	return nil
}

func (s *keyStore) listAliases(keyId string) []fields {
	only := s.find(keyId)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := float64(time.Now().Unix())
	listed := []fields{}
	for name, target := range s.aliases {
		if keyId != "" && target != only {
			continue
		}
		listed = append(listed, fields{"AliasName": name, "AliasArn": account + name, "TargetKeyId": target.id, "CreationDate": created, "LastUpdatedDate": now})
	}
	return listed
}

// foreignId begins the id of every key that is only there to be listed and described.
const foreignId = "f0e19000-"

func (s *keyStore) listKeys(foreign int) []fields {
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := []fields{}
	for id := range s.keys {
		listed = append(listed, fields{"KeyId": id, "KeyArn": account + "key/" + id})
	}
	for index := range foreign {
		id := fmt.Sprintf("%s0000-4000-8000-%012x", foreignId, index)
		listed = append(listed, fields{"KeyId": id, "KeyArn": account + "key/" + id})
	}
	return listed
}

func metadata(id, spec, description string) fields {
	return fields{
		"AWSAccountId": "111122223333", "KeyId": id, "Arn": account + "key/" + id, "CreationDate": created, "Enabled": true,
		"Description": description, "KeyUsage": "SIGN_VERIFY", "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
		"KeySpec": spec, "CustomerMasterKeySpec": spec, "MultiRegion": false,
	}
}
