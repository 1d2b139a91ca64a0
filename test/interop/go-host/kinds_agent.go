package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strings"

	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/keymanager/v1"
	nodeattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/nodeattestor/v1"
	svidstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/svidstore/v1"
	workloadattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/workloadattestor/v1"
	"google.golang.org/grpc/codes"
)

func (h *host) agentNodeAttestor() (string, error) {
	client := nodeattestorv1.NewNodeAttestorClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	stream, err := client.AidAttestation(ctx)
	if err != nil {
		return "", err
	}
	// The agent sends nothing before it has the payload.
	response, err := stream.Recv()
	if err != nil {
		return "", err
	}
	if string(response.GetPayload()) != "payload" {
		return "", fmt.Errorf("the plugin began with %v", response)
	}
	for _, challenge := range []string{"a", "b", "refuse"} {
		if err := stream.Send(&nodeattestorv1.Challenge{Challenge: []byte(challenge)}); err != nil {
			return "", err
		}
		response, err := stream.Recv()
		if challenge == "refuse" {
			return "", firstError(
				func() error { return expectDetails(err, codes.PermissionDenied) },
				func() error { return aidToTheEnd(ctx, client) },
				func() error {
					return h.expectCancelled(func(ctx context.Context) error { return aidAndWait(ctx, client) })
				},
				func() error {
					return h.expectDeadline(func(ctx context.Context) error { return aidAndWait(ctx, client) })
				},
			)
		}
		if err != nil {
			return "", err
		}
		if got := response.GetChallengeResponse(); !bytes.Equal(got, []byte("answer to "+challenge)) {
			return "", fmt.Errorf("the plugin answered %v", response)
		}
	}
	return "", nil
}

// aidToTheEnd closes the stream as an agent does that was asked nothing.
func aidToTheEnd(ctx context.Context, client nodeattestorv1.NodeAttestorClient) error {
	stream, err := client.AidAttestation(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return expectEnd[*nodeattestorv1.PayloadOrChallengeResponse](stream)
}

func aidAndWait(ctx context.Context, client nodeattestorv1.NodeAttestorClient) error {
	stream, err := client.AidAttestation(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if err := stream.Send(&nodeattestorv1.Challenge{Challenge: []byte("wait")}); err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

func (h *host) workloadAttestor() (string, error) {
	client := workloadattestorv1.NewWorkloadAttestorClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	attest := func(ctx context.Context, pid int32) (string, error) {
		response, err := client.Attest(ctx, &workloadattestorv1.AttestRequest{Pid: pid})
		return strings.Join(response.GetSelectorValues(), " "), err
	}
	want := func(pid int32, values string) func() error {
		return func() error {
			if got, err := attest(ctx, pid); err != nil || got != values {
				return fmt.Errorf("pid %d has %q, %v", pid, got, err)
			}
			return nil
		}
	}
	failing := func(pid int32) func(context.Context) error {
		return func(ctx context.Context) error { _, err := attest(ctx, pid); return err }
	}
	return "", firstError(
		want(7, "pid:7 domain:example.org"),
		want(8, ""),
		func() error { return expectDetails(failing(9)(ctx), codes.Internal) },
		func() error { return h.expectCancelled(failing(10)) },
		func() error { return h.expectDeadline(failing(10)) },
	)
}

func (h *host) svidStore() (string, error) {
	client := svidstorev1.NewSVIDStoreClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	put := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			svid := &svidstorev1.X509SVID{SpiffeID: "spiffe://example.org/" + name, CertChain: [][]byte{[]byte("leaf")}, PrivateKey: []byte("key"), Bundle: [][]byte{[]byte("root")}, ExpiresAt: 1700000000}
			_, err := client.PutX509SVID(ctx, &svidstorev1.PutX509SVIDRequest{Svid: svid, Metadata: []string{"name:" + name}, FederatedBundles: map[string][]byte{"b.org": []byte("der")}})
			return err
		}
	}
	return "", firstError(
		func() error { return put("web")(ctx) },
		func() error { return h.waitForCount("fixture.put.web.b.org.1700000000", 1) },
		func() error {
			_, err := client.DeleteX509SVID(ctx, &svidstorev1.DeleteX509SVIDRequest{Metadata: []string{"name:web"}})
			return err
		},
		func() error { return h.waitForCount("fixture.deleted.name:web", 1) },
		func() error { return expectDetails(put("refuse")(ctx), codes.ResourceExhausted) },
		func() error { return h.expectCancelled(put("wait")) },
		func() error { return h.expectDeadline(put("wait")) },
	)
}

func (h *host) agentKeyManager() (string, error) {
	client := keymanagerv1.NewKeyManagerClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	made, err := client.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{KeyId: "agent-svid-A", KeyType: keymanagerv1.KeyType_EC_P256})
	if err != nil {
		return "", err
	}
	public, err := x509.ParsePKIXPublicKey(made.PublicKey.GetPkixData())
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte("text"))
	signed, err := client.SignData(ctx, &keymanagerv1.SignDataRequest{KeyId: "agent-svid-A", Data: digest[:], SignerOpts: &keymanagerv1.SignDataRequest_HashAlgorithm{HashAlgorithm: keymanagerv1.HashAlgorithm_SHA256}})
	if err != nil {
		return "", err
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || !ecdsa.VerifyASN1(key, digest[:], signed.Signature) || signed.KeyFingerprint != made.PublicKey.Fingerprint {
		return "", fmt.Errorf("the signature does not verify")
	}
	all, err := client.GetPublicKeys(ctx, &keymanagerv1.GetPublicKeysRequest{})
	if err != nil || len(all.PublicKeys) != 1 {
		return "", fmt.Errorf("%d keys, %v", len(all.GetPublicKeys()), err)
	}
	_, err = client.GetPublicKey(ctx, &keymanagerv1.GetPublicKeyRequest{KeyId: "other"})
	if detail, err := expectStatus(err, codes.NotFound, `key "other" not found`); err != nil {
		return detail, err
	}
	_, err = client.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{KeyId: "rsa", KeyType: keymanagerv1.KeyType_RSA_2048})
	return "", expectDetails(err, codes.InvalidArgument)
}
