package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"

	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
)

// signer is a crypto.Signer whose private key is the plugin's, as SPIRE's own is.
type signer struct {
	host   *host
	key    *keymanagerv1.PublicKey
	public crypto.PublicKey
}

func newSigner(h *host, key *keymanagerv1.PublicKey) (*signer, error) {
	public, err := x509.ParsePKIXPublicKey(key.PkixData)
	if err != nil {
		return nil, fmt.Errorf("pkix_data of %q: %w", key.Id, err)
	}
	return &signer{host: h, key: key, public: public}, nil
}

func (s *signer) Public() crypto.PublicKey {
	return s.public
}

func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := keymanagerv1.HashAlgorithm(opts.HashFunc())
	req := &keymanagerv1.SignDataRequest{KeyId: s.key.Id, Data: digest}
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		req.SignerOpts = &keymanagerv1.SignDataRequest_PssOptions{
			PssOptions: &keymanagerv1.SignDataRequest_PSSOptions{SaltLength: int32(pss.SaltLength), HashAlgorithm: hash},
		}
	} else {
		req.SignerOpts = &keymanagerv1.SignDataRequest_HashAlgorithm{HashAlgorithm: hash}
	}
	ctx, cancel := s.host.callContext()
	defer cancel()
	resp, err := s.host.keyManager.SignData(ctx, req)
	if err != nil {
		return nil, err
	}
	if resp.KeyFingerprint != s.key.Fingerprint {
		return nil, fmt.Errorf("fingerprint %q of the signature is not the key's %q", resp.KeyFingerprint, s.key.Fingerprint)
	}
	return resp.Signature, nil
}
