package main

import (
	"context"
	"fmt"
	"strings"

	bundlepublisherv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/bundlepublisher/v1"
	credentialcomposerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/credentialcomposer/v1"
	nodeattestorv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/nodeattestor/v1"
	notifierv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/notifier/v1"
	upstreamauthorityv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/upstreamauthority/v1"
	"github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

func (h *host) attest(ctx context.Context, payload string, answer func([]byte) []byte) (*nodeattestorv1.AgentAttributes, error) {
	stream, err := nodeattestorv1.NewNodeAttestorClient(h.conn).Attest(ctx)
	if err != nil {
		return nil, err
	}
	request := &nodeattestorv1.AttestRequest{Request: &nodeattestorv1.AttestRequest_Payload{Payload: []byte(payload)}}
	for {
		if err := stream.Send(request); err != nil {
			_, err = stream.Recv()
			return nil, err
		}
		response, err := stream.Recv()
		if err != nil {
			return nil, err
		}
		if attributes := response.GetAgentAttributes(); attributes != nil {
			return attributes, expectEnd[*nodeattestorv1.AttestResponse](stream)
		}
		request = &nodeattestorv1.AttestRequest{Request: &nodeattestorv1.AttestRequest_ChallengeResponse{ChallengeResponse: answer(response.GetChallenge())}}
	}
}

func echo(challenge []byte) []byte { return append([]byte("answer to "), challenge...) }

func (h *host) nodeAttestor() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	attributes, err := h.attest(ctx, "machine", echo)
	if err != nil {
		return "", err
	}
	wanted := &nodeattestorv1.AgentAttributes{
		SpiffeId:       "spiffe://example.org/spire/agent/fixture/machine",
		SelectorValues: []string{"answer to 1", "answer to 2", "answer to 3"},
		CanReattest:    true,
	}
	if !proto.Equal(attributes, wanted) {
		return "", fmt.Errorf("attested %v", attributes)
	}
	wait := func(ctx context.Context) error {
		_, err := h.attest(ctx, "wait", echo)
		return err
	}
	return attributes.SpiffeId, firstError(
		func() error {
			_, err := h.attest(ctx, "refuse", echo)
			return expectDetails(err, codes.PermissionDenied)
		},
		func() error { return h.expectCancelled(wait) },
		func() error { return h.expectDeadline(wait) },
	)
}

// nodeAttestorHostServices has the plugin ask both of SPIRE Server's services.
func (h *host) nodeAttestorHostServices() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	_, err := h.attest(ctx, "known", echo)
	if detail, err := expectStatus(err, codes.PermissionDenied, "has attested before"); err != nil {
		return detail, err
	}
	attributes, err := h.attest(ctx, "identity", echo)
	if err != nil {
		return "", err
	}
	if got := strings.Join(attributes.SelectorValues, " "); got != "leaf issuer key example.org 9223372036854775813" {
		return "", fmt.Errorf("the identity arrived as %q", got)
	}
	return "", nil
}

func (h *host) upstreamAuthority() (string, error) {
	client := upstreamauthorityv1.NewUpstreamAuthorityClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	stream, err := client.MintX509CAAndSubscribe(ctx, &upstreamauthorityv1.MintX509CARequest{Csr: []byte("csr"), PreferredTtl: 3600})
	if err != nil {
		return "", err
	}
	var texts []string
	for range 3 {
		response, err := stream.Recv()
		if err != nil {
			return "", err
		}
		texts = append(texts, certificates(response.X509CaChain)+" / "+certificates(response.UpstreamX509Roots))
	}
	if got := strings.Join(texts, "; "); got != "csr for 3600 intermediate / root;  / root root2;  / root! root2" {
		return "", fmt.Errorf("the stream said %q", got)
	}
	if err := expectEnd[*upstreamauthorityv1.MintX509CAResponse](stream); err != nil {
		return "", err
	}
	mint := func(csr string) func(context.Context) error {
		return func(ctx context.Context) error {
			stream, err := client.MintX509CAAndSubscribe(ctx, &upstreamauthorityv1.MintX509CARequest{Csr: []byte(csr)})
			for err == nil {
				_, err = stream.Recv()
			}
			return err
		}
	}
	return "", firstError(
		func() error { return expectDetails(mint("refuse")(ctx), codes.FailedPrecondition) },
		func() error { return h.expectCancelled(mint("wait")) },
		func() error { return h.expectDeadline(mint("wait")) },
	)
}

func certificates(all []*types.X509Certificate) string {
	var texts []string
	for _, one := range all {
		text := string(one.Asn1)
		if one.Tainted {
			text += "!"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func (h *host) upstreamJwt() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	key := &types.JWTKey{PublicKey: []byte("public"), KeyId: "mine", ExpiresAt: 1800000000}
	stream, err := upstreamauthorityv1.NewUpstreamAuthorityClient(h.conn).PublishJWTKeyAndSubscribe(ctx, &upstreamauthorityv1.PublishJWTKeyRequest{JwtKey: key})
	if err != nil {
		return "", err
	}
	for count := 1; count <= 2; count++ {
		response, err := stream.Recv()
		if err != nil {
			return "", err
		}
		if len(response.UpstreamJwtKeys) != count || !proto.Equal(response.UpstreamJwtKeys[0], key) {
			return "", fmt.Errorf("got %v", response)
		}
	}
	return "", expectEnd[*upstreamauthorityv1.PublishJWTKeyResponse](stream)
}

func (h *host) notifier() (string, error) {
	client := notifierv1.NewNotifierClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	updated := func(ctx context.Context, trustDomain string) error {
		event := &notifierv1.NotifyRequest_BundleUpdated{BundleUpdated: &notifierv1.BundleUpdated{Bundle: testBundle(trustDomain)}}
		_, err := client.Notify(ctx, &notifierv1.NotifyRequest{Event: event})
		return err
	}
	loaded := func(trustDomain string) error {
		event := &notifierv1.NotifyAndAdviseRequest_BundleLoaded{BundleLoaded: &notifierv1.BundleLoaded{Bundle: testBundle(trustDomain)}}
		_, err := client.NotifyAndAdvise(ctx, &notifierv1.NotifyAndAdviseRequest{Event: event})
		return err
	}
	return "", firstError(
		func() error { return updated(ctx, "example.org") },
		func() error { return loaded("example.org") },
		func() error { return expectDetails(loaded("refuse"), codes.Unavailable) },
		func() error { _, err := client.Notify(ctx, &notifierv1.NotifyRequest{}); return err },
		func() error {
			return h.expectCancelled(func(ctx context.Context) error { return updated(ctx, "wait") })
		},
		func() error { return h.waitForCount("fixture.updated.example.org.9223372036854775813", 1) },
		func() error { return h.waitForCount("fixture.loaded.example.org.2.1", 1) },
	)
}

func (h *host) bundlePublisher() (string, error) {
	client := bundlepublisherv1.NewBundlePublisherClient(h.conn)
	publish := func(trustDomain string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := client.PublishBundle(ctx, &bundlepublisherv1.PublishBundleRequest{Bundle: testBundle(trustDomain)})
			return err
		}
	}
	ctx, cancel := h.callContext()
	defer cancel()
	return "", firstError(
		func() error { return publish("example.org")(ctx) },
		func() error { return h.waitForCount("fixture.published.example.org.2.1", 1) },
		func() error { return expectDetails(publish("refuse")(ctx), codes.Unavailable) },
		func() error { return h.expectCancelled(publish("wait")) },
		func() error { return h.expectDeadline(publish("wait")) },
	)
}

func (h *host) credentialComposer() (string, error) {
	client := credentialcomposerv1.NewCredentialComposerClient(h.conn)
	ctx, cancel := h.callContext()
	defer cancel()
	subject := &credentialcomposerv1.DistinguishedName{CommonName: "common", Country: []string{"AQ"}, ExtraNames: []*credentialcomposerv1.AttributeTypeAndValue{{Oid: "1.2", StringValue: "x"}}}
	svid := &credentialcomposerv1.X509SVIDAttributes{Subject: subject, DnsSans: []string{"a"}}
	wantSvid := func(got *credentialcomposerv1.X509SVIDAttributes, san string) error {
		want := proto.Clone(svid).(*credentialcomposerv1.X509SVIDAttributes)
		want.DnsSans = append(want.DnsSans, san)
		want.ExtraExtensions = []*credentialcomposerv1.X509Extension{{Oid: "1.2.3.4", Value: []byte{5, 0}, Critical: true}}
		if !proto.Equal(got, want) {
			return fmt.Errorf("composed %v", got)
		}
		return nil
	}
	return "", firstError(
		func() error {
			ca := &credentialcomposerv1.X509CAAttributes{Subject: subject}
			got, err := client.ComposeServerX509CA(ctx, &credentialcomposerv1.ComposeServerX509CARequest{Attributes: ca})
			if err == nil && strings.Join(got.Attributes.GetPolicyIdentifiers(), " ") != "1.2.3" {
				err = fmt.Errorf("composed %v", got)
			}
			return err
		},
		func() error {
			got, err := client.ComposeServerX509SVID(ctx, &credentialcomposerv1.ComposeServerX509SVIDRequest{Attributes: svid})
			if err != nil {
				return err
			}
			return wantSvid(got.Attributes, "server")
		},
		func() error {
			got, err := client.ComposeAgentX509SVID(ctx, &credentialcomposerv1.ComposeAgentX509SVIDRequest{Attributes: svid, SpiffeId: "spiffe://agent", PublicKey: []byte("k")})
			if err != nil {
				return err
			}
			return wantSvid(got.Attributes, "spiffe://agent k")
		},
		func() error {
			got, err := client.ComposeWorkloadX509SVID(ctx, &credentialcomposerv1.ComposeWorkloadX509SVIDRequest{Attributes: svid, SpiffeId: "keep"})
			if err == nil && got.Attributes != nil {
				err = fmt.Errorf("composed %v", got)
			}
			return err
		},
		func() error {
			_, err := client.ComposeWorkloadX509SVID(ctx, &credentialcomposerv1.ComposeWorkloadX509SVIDRequest{Attributes: svid, SpiffeId: "refuse"})
			return expectDetails(err, codes.InvalidArgument)
		},
		func() error { return composeToken(ctx, client) },
	)
}

func composeToken(ctx context.Context, client credentialcomposerv1.CredentialComposerClient) error {
	claims, err := structpb.NewStruct(map[string]interface{}{"sub": "spiffe://workload", "aud": []interface{}{"a", "b"}, "exp": 1.7e9, "deep": map[string]interface{}{"none": nil, "yes": true}})
	if err != nil {
		return err
	}
	got, err := client.ComposeWorkloadJWTSVID(ctx, &credentialcomposerv1.ComposeWorkloadJWTSVIDRequest{Attributes: &credentialcomposerv1.JWTSVIDAttributes{Claims: claims}, SpiffeId: "spiffe://workload"})
	if err != nil {
		return err
	}
	claims.Fields["who"] = structpb.NewStringValue("spiffe://workload")
	if !proto.Equal(got.Attributes.GetClaims(), claims) {
		return fmt.Errorf("composed %v", got)
	}
	return nil
}
