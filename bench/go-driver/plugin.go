package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/spiffe/spire-plugin-sdk/private"
	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
)

const pluginType = "KeyManager"

type plugin struct {
	client     *goplugin.Client
	pid        int
	conn       *grpc.ClientConn
	keyManager keymanagerv1.KeyManagerClient
	config     configv1.ConfigClient
}

type connectionOnly struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connectionOnly) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the host's side")
}

func (connectionOnly) GRPCClient(_ context.Context, broker *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	listener, err := broker.Accept(private.HostServiceProviderID)
	if err != nil {
		return nil, err
	}
	go func() { _ = grpc.NewServer().Serve(listener) }()
	return conn, nil
}

// start says also how long it took from exec to the handshake line.
func start(c *command) (*plugin, time.Duration, error) {
	cmd := exec.Command(c.Path)
	cmd.Env = c.Env
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  goplugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: pluginType, MagicCookieValue: pluginType},
		Cmd:              cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Plugins:          map[string]goplugin.Plugin{"aws_kms": connectionOnly{}},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: io.Discard}),
		SkipHostEnv:      true,
	})
	started := time.Now()
	if _, err := client.Start(); err != nil {
		client.Kill()
		return nil, 0, fmt.Errorf("failed to start %s: %w", c.Path, err)
	}
	handshake := time.Since(started)
	p := &plugin{client: client, pid: client.ReattachConfig().Pid}
	if err := p.connect(); err != nil {
		client.Kill()
		return nil, 0, err
	}
	return p, handshake, nil
}

func (p *plugin) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense("aws_kms")
	if err != nil {
		return err
	}
	p.conn = raw.(*grpc.ClientConn)
	p.keyManager = keymanagerv1.NewKeyManagerClient(p.conn)
	p.config = configv1.NewConfigClient(p.conn)
	_, err = private.Init(context.Background(), p.conn, nil)
	return err
}

func (p *plugin) configure(c *command) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := p.config.Configure(ctx, &configv1.ConfigureRequest{
		CoreConfiguration: &configv1.CoreConfiguration{TrustDomain: "example.org"},
		HclConfiguration:  c.Hcl,
	})
	return err
}

func (p *plugin) generate(id, keyType string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := p.keyManager.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{
		KeyId:   id,
		KeyType: keymanagerv1.KeyType(keymanagerv1.KeyType_value[keyType]),
	})
	return err
}

// cpu is what the kernel has counted for the process and all its threads, to the nanosecond; /proc/PID/stat rounds the same
// to ticks of 10 ms. The clock of another process is its id, inverted, and CPUCLOCK_SCHED.
func (p *plugin) cpu() (time.Duration, error) {
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|2), &spent); err != nil {
		return 0, fmt.Errorf("CPU clock of process %d: %w", p.pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// measured adds to the answer how long it took and what CPU the plugin spent.
func (p *plugin) measured(run func() (answer, error)) (answer, error) {
	before, err := p.cpu()
	if err != nil {
		return nil, err
	}
	started := time.Now()
	result, err := run()
	if err != nil {
		return nil, err
	}
	result["ms"] = millis(time.Since(started))
	after, err := p.cpu()
	result["cpuMs"] = millis(after - before)
	return result, err
}
