package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"go.step.sm/crypto/kms/apiv1"
	"go.step.sm/crypto/kms/awskms"
)

// stepDay is what `step kms create` and step-ca with keys in AWS KMS do: a root, and an intermediate below it.
func stepDay(ctx context.Context) (results, error) {
	manager, err := awskms.New(ctx, apiv1.Options{})
	if err != nil {
		return nil, err
	}
	root, rootSigner, err := stepKey(manager, "root", apiv1.ECDSAWithSHA384, 0)
	if err != nil {
		return nil, err
	}
	intermediate, signer, err := stepKey(manager, "intermediate", apiv1.SHA256WithRSA, 2048)
	if err != nil {
		return nil, err
	}
	rootTemplate := authority("Root", 1)
	rootCert, err := issue(rootTemplate, rootTemplate, root, rootSigner)
	if err != nil {
		return nil, err
	}
	below, err := issue(authority("Intermediate", 2), rootCert, intermediate, rootSigner)
	if err != nil {
		return nil, err
	}
	leafTemplate := authority("leaf", 3)
	leafTemplate.IsCA = false
	leaf, err := issue(leafTemplate, below, root, signer)
	if err != nil {
		return nil, err
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(rootCert)
	intermediates.AddCert(below)
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte("x"))
	if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
		return nil, err
	}
	return results{"chain": len(chains[0])}, manager.Close()
}

func stepKey(manager *awskms.KMS, name string, algorithm apiv1.SignatureAlgorithm, bits int) (crypto.PublicKey, crypto.Signer, error) {
	made, err := manager.CreateKey(&apiv1.CreateKeyRequest{Name: "awskms:name=" + name, SignatureAlgorithm: algorithm, Bits: bits})
	if err != nil {
		return nil, nil, err
	}
	signer, err := manager.CreateSigner(&made.CreateSignerRequest)
	if err != nil {
		return nil, nil, err
	}
	public, err := manager.GetPublicKey(&apiv1.GetPublicKeyRequest{Name: made.Name})
	return public, signer, err
}

func authority(name string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
}

func issue(template, parent *x509.Certificate, public crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
