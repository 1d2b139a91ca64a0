package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// algorithmsFor lists every way crypto/x509 signs with a key: each digest, and PSS beside PKCS#1 v1.5.
func algorithmsFor(s *signer) ([]x509.SignatureAlgorithm, error) {
	switch s.public.(type) {
	case *ecdsa.PublicKey:
		return []x509.SignatureAlgorithm{x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512}, nil
	case *rsa.PublicKey:
		return []x509.SignatureAlgorithm{
			x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
			x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS,
		}, nil
	}
	return nil, fmt.Errorf("unexpected public key %T", s.public)
}

// signCertificate makes a self-signed CA certificate and verifies it.
func signCertificate(s *signer, algorithm x509.SignatureAlgorithm) error {
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: "interop " + s.key.Id, Organization: []string{"SPIFFE"}},
		NotBefore:             now.Add(-time.Minute),
		NotAfter:              now.Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		URIs:                  []*url.URL{{Scheme: "spiffe", Host: s.host.opts.trustDomain}},
		SignatureAlgorithm:    algorithm,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.public, s)
	if err != nil {
		return fmt.Errorf("%s with %s: %w", s.key.Id, algorithm, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if certificate.SignatureAlgorithm != algorithm {
		return fmt.Errorf("%s: signed with %s, not %s", s.key.Id, certificate.SignatureAlgorithm, algorithm)
	}
	return certificate.CheckSignatureFrom(certificate)
}
