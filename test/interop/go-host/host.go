package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/spiffe/spire-plugin-sdk/private"
	metricsv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/common/metrics/v1"
	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"google.golang.org/grpc"
)

// host is a loaded plugin with the clients SPIRE has of it.
type host struct {
	opts       *options
	client     *goplugin.Client
	protocol   goplugin.ClientProtocol
	conn       *grpc.ClientConn
	keyManager keymanagerv1.KeyManagerClient
	config     configv1.ConfigClient
	metrics    *metricsServer
	capture    *logCapture
	keys       map[string]*keymanagerv1.PublicKey
}

// brokeredPlugin offers the host's services on broker id 1 before the plugin is called for the first time.
type brokeredPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	metrics  *metricsServer
	autoMTLS bool
}

func (p *brokeredPlugin) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the host's side")
}

func (p *brokeredPlugin) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (interface{}, error) {
	if p.autoMTLS {
		// AcceptAndServe alone gives the brokered connection the host's certificate.
		go broker.AcceptAndServe(private.HostServiceProviderID, func(opts []grpc.ServerOption) *grpc.Server {
			return p.newServer(opts...)
		})
		return conn, nil
	}
	// Without it SPIRE serves the listener itself.
	listener, err := broker.Accept(private.HostServiceProviderID)
	if err != nil {
		return nil, err
	}
	go func() { _ = p.newServer().Serve(listener) }()
	return conn, nil
}

func (p *brokeredPlugin) newServer(opts ...grpc.ServerOption) *grpc.Server {
	server := grpc.NewServer(opts...)
	metricsv1.RegisterMetricsServer(server, p.metrics)
	registerHostServices(server)
	return server
}

func loadPlugin(opts *options, capture *logCapture) (*host, error) {
	path, err := filepath.Abs(opts.pluginPath)
	if err != nil {
		return nil, err
	}
	secure, err := secureConfig(path, opts.checksum)
	if err != nil {
		return nil, err
	}
	metrics := &metricsServer{}
	config := &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: 1,
			// SPIRE uses the plugin type as key and as value of the magic cookie.
			MagicCookieKey:   opts.pluginType,
			MagicCookieValue: opts.pluginType,
		},
		Cmd:              pluginCommand(path),
		AutoMTLS:         opts.autoMTLS,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Plugins:          map[string]goplugin.Plugin{opts.pluginName: &brokeredPlugin{metrics: metrics, autoMTLS: opts.autoMTLS}},
		Logger:           capture.logger(),
		SecureConfig:     secure,
		StartTimeout:     opts.startLimit,
		SyncStdout:       &capture.stdout,
		SyncStderr:       &capture.stderr,
	}
	if opts.multiplex {
		if err := askForMultiplexing(config); err != nil {
			return nil, err
		}
	}
	client := goplugin.NewClient(config)
	h := &host{opts: opts, client: client, metrics: metrics, capture: capture, keys: map[string]*keymanagerv1.PublicKey{}}
	if err := h.connect(); err != nil {
		client.Kill()
		return nil, err
	}
	return h, nil
}

func (h *host) connect() error {
	protocol, err := h.client.Client()
	if err != nil {
		return fmt.Errorf("failed to launch plugin: %w", err)
	}
	raw, err := protocol.Dispense(h.opts.pluginName)
	if err != nil {
		return err
	}
	conn, ok := raw.(*grpc.ClientConn)
	if !ok {
		return fmt.Errorf("dispensed a %T", raw)
	}
	h.protocol = protocol
	h.conn = conn
	h.keyManager = keymanagerv1.NewKeyManagerClient(conn)
	h.config = configv1.NewConfigClient(conn)
	return nil
}

func secureConfig(path, checksum string) (*goplugin.SecureConfig, error) {
	switch checksum {
	case "none":
		return nil, nil
	case "auto":
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		checksum = hex.EncodeToString(sum[:])
	}
	sum, err := hex.DecodeString(checksum)
	if err != nil {
		return nil, errors.New("checksum is not a valid hex string")
	}
	return &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()}, nil
}

func (h *host) callContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), h.opts.callTimeout)
}

func (h *host) pid() int {
	if config := h.client.ReattachConfig(); config != nil {
		return config.Pid
	}
	return 0
}

// kill ends what a step may have left; it does nothing when the plugin has ended.
func (h *host) kill() {
	h.client.Kill()
}

func (h *host) waitForExit(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for !h.client.Exited() {
		if time.Now().After(deadline) {
			return fmt.Errorf("the plugin is still there after %s", limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func goPluginVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/hashicorp/go-plugin" {
			return module.Version
		}
	}
	return "unknown"
}
