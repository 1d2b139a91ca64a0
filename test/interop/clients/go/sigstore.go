package main

import (
	"bytes"
	"context"
	"net/url"
	"os"

	sigstore "github.com/sigstore/sigstore/pkg/signature/kms/aws"
	"github.com/sigstore/sigstore/pkg/signature/options"
)

// sigstoreDay is what `cosign generate-key-pair --kms`, `cosign sign` and `cosign verify` do with `awskms://…`. The endpoint in
// such a reference is always https://.
func sigstoreDay(ctx context.Context) (results, error) {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return nil, err
	}
	seen := results{}
	for _, spec := range []string{"ECC_NIST_P256", "ECC_NIST_P384", "RSA_2048"} {
		signer, err := sigstore.LoadSignerVerifier(ctx, "awskms://"+endpoint.Host+"/alias/cosign-"+spec)
		if err != nil {
			return nil, err
		}
		if _, err := signer.CreateKey(ctx, spec); err != nil {
			return nil, err
		}
		artifact := []byte("an image's digest")
		signed, err := signer.SignMessage(bytes.NewReader(artifact), options.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		// Here, and in KMS.
		for _, remotely := range []bool{false, true} {
			remote := options.WithRemoteVerification(remotely)
			if err := signer.VerifySignature(bytes.NewReader(signed), bytes.NewReader(artifact), remote); err != nil {
				return nil, err
			}
			if err := signer.VerifySignature(bytes.NewReader(signed), bytes.NewReader([]byte("other")), remote); err == nil {
				seen["accepted another artifact"] = spec
			}
		}
		seen[spec] = true
	}
	return seen, nil
}
