package main

import (
	"context"

	agentstorev1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/agentstore/v1"
	identityproviderv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/server/identityprovider/v1"
	"github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What SPIRE Server offers its plugins, in the names of Init.
var hostServiceNames = []string{
	metricsServiceName,
	"spire.hostservice.server.identityprovider.v1.IdentityProvider",
	"spire.hostservice.server.agentstore.v1.AgentStore",
}

// The one agent that has attested.
const knownAgent = "spiffe://example.org/spire/agent/fixture/known"

type agentStore struct {
	agentstorev1.UnimplementedAgentStoreServer
}

func (agentStore) GetAgentInfo(_ context.Context, req *agentstorev1.GetAgentInfoRequest) (*agentstorev1.GetAgentInfoResponse, error) {
	if req.AgentId != knownAgent {
		return nil, status.Errorf(codes.NotFound, "agent %q has not attested", req.AgentId)
	}
	return &agentstorev1.GetAgentInfoResponse{Info: &agentstorev1.AgentInfo{AgentId: req.AgentId}}, nil
}

type identityProvider struct {
	identityproviderv1.UnimplementedIdentityProviderServer
}

func (identityProvider) FetchX509Identity(context.Context, *identityproviderv1.FetchX509IdentityRequest) (*identityproviderv1.FetchX509IdentityResponse, error) {
	return &identityproviderv1.FetchX509IdentityResponse{
		Identity: &identityproviderv1.X509Identity{CertChain: [][]byte{[]byte("leaf"), []byte("issuer")}, PrivateKey: []byte("key")},
		Bundle:   testBundle("example.org"),
	}, nil
}

func testBundle(trustDomain string) *types.Bundle {
	return &types.Bundle{
		TrustDomain:     trustDomain,
		X509Authorities: []*types.X509Certificate{{Asn1: []byte("root")}, {Asn1: []byte("old"), Tainted: true}},
		JwtAuthorities:  []*types.JWTKey{{PublicKey: []byte("public"), KeyId: "jwt-1", ExpiresAt: 1700000000}},
		RefreshHint:     60,
		SequenceNumber:  1<<63 + 5,
	}
}

func registerHostServices(server *grpc.Server) {
	agentstorev1.RegisterAgentStoreServer(server, agentStore{})
	identityproviderv1.RegisterIdentityProviderServer(server, identityProvider{})
}
