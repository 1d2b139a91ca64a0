package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spiffe/spire-plugin-sdk/private"
	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	configv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/service/common/config/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// go-plugin kills a plugin that has not ended two seconds after Shutdown.
const shutdownLimit = 2 * time.Second

func (h *host) runStep(name string) stepResult {
	steps := map[string]func() (string, error){
		"ping":         h.ping,
		"reflect":      h.reflect,
		"init":         h.init,
		"unconfigured": h.unconfigured,
		"validate":     h.validate,
		"configure":    h.configure,
		"generate":     h.generate,
		"adopt":        h.adopt,
		"sign":         h.sign,
		"refusals":     h.refusals,
		"rotate":       h.rotate,
		"concurrent":   h.concurrent,
		"interrupt":    h.interrupt,
		"metrics":      h.waitForMetrics,
		"deinit":       h.deinit,
		"shutdown":     h.shutdown,
		"sigterm":      h.sigterm,
		"sigkill":      h.sigkill,
	}
	for kind, step := range h.kindSteps() {
		steps[kind] = step
	}
	started := time.Now()
	step, ok := steps[name]
	if !ok {
		return outcome(name, started, "", errors.New("no such step"))
	}
	detail, err := step()
	return outcome(name, started, detail, err)
}

func (h *host) ping() (string, error) {
	return "", h.protocol.Ping()
}

func (h *host) init() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	names, err := private.Init(ctx, h.conn, hostServiceNames)
	sort.Strings(names)
	return strings.Join(names, " "), err
}

func (h *host) core() *configv1.CoreConfiguration {
	return &configv1.CoreConfiguration{TrustDomain: h.opts.trustDomain}
}

func (h *host) unconfigured() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	_, err := h.keyManager.GetPublicKey(ctx, &keymanagerv1.GetPublicKeyRequest{KeyId: "x509-CA-A"})
	return expectStatus(err, codes.FailedPrecondition, "not configured")
}

func (h *host) validate() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	resp, err := h.config.Validate(ctx, &configv1.ValidateRequest{CoreConfiguration: h.core(), HclConfiguration: h.opts.pluginData})
	if err != nil {
		return "", err
	}
	if !resp.Valid {
		return "", fmt.Errorf("not valid: %s", strings.Join(resp.Notes, "; "))
	}
	resp, err = h.config.Validate(ctx, &configv1.ValidateRequest{CoreConfiguration: h.core(), HclConfiguration: "no_such_setting_at_all = [1"})
	if err != nil {
		return "", err
	}
	if resp.Valid || len(resp.Notes) == 0 {
		return "", errors.New("broken HCL is called valid, or without a note")
	}
	return strings.Join(resp.Notes, "; "), nil
}

func (h *host) configure() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	_, err := h.config.Configure(ctx, &configv1.ConfigureRequest{CoreConfiguration: h.core(), HclConfiguration: h.opts.pluginData})
	return "", err
}

func (h *host) generate() (string, error) {
	for _, name := range h.opts.keyTypes {
		if err := h.generateKey("interop-"+name, name); err != nil {
			return "", err
		}
	}
	return h.compareAll()
}

func (h *host) generateKey(id, typeName string) error {
	keyType, ok := keymanagerv1.KeyType_value[typeName]
	if !ok {
		return fmt.Errorf("unknown key type %q", typeName)
	}
	ctx, cancel := h.callContext()
	defer cancel()
	resp, err := h.keyManager.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{KeyId: id, KeyType: keymanagerv1.KeyType(keyType)})
	if err != nil {
		return fmt.Errorf("GenerateKey %s: %w", typeName, err)
	}
	key := resp.PublicKey
	if key.GetId() != id || key.GetType() != keymanagerv1.KeyType(keyType) || key.GetFingerprint() == "" {
		return fmt.Errorf("GenerateKey %s answered %v", typeName, key)
	}
	if old, ok := h.keys[id]; ok && old.Fingerprint == key.Fingerprint {
		return fmt.Errorf("%s has the fingerprint of the key it replaced", id)
	}
	h.keys[id] = key
	return nil
}

// compareAll checks that the plugin lists what it has generated, and says the same of each key when asked for it alone.
func (h *host) compareAll() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	all, err := h.keyManager.GetPublicKeys(ctx, &keymanagerv1.GetPublicKeysRequest{})
	if err != nil {
		return "", err
	}
	listed := map[string]string{}
	for _, key := range all.PublicKeys {
		listed[key.Id] = key.Fingerprint
	}
	for id, key := range h.keys {
		one, err := h.keyManager.GetPublicKey(ctx, &keymanagerv1.GetPublicKeyRequest{KeyId: id})
		if err != nil {
			return "", err
		}
		if one.PublicKey.GetFingerprint() != key.Fingerprint || listed[id] != key.Fingerprint {
			return "", fmt.Errorf("%s: generated %q, got %q, listed %q", id, key.Fingerprint, one.PublicKey.GetFingerprint(), listed[id])
		}
	}
	return fmt.Sprintf("%d keys", len(listed)), nil
}

// adopt takes the keys that an earlier run has generated.
func (h *host) adopt() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	for _, name := range h.opts.keyTypes {
		resp, err := h.keyManager.GetPublicKey(ctx, &keymanagerv1.GetPublicKeyRequest{KeyId: "interop-" + name})
		if err != nil {
			return "", err
		}
		h.keys[resp.PublicKey.Id] = resp.PublicKey
	}
	return h.compareAll()
}

func (h *host) sign() (string, error) {
	count := 0
	for _, key := range h.keys {
		s, err := newSigner(h, key)
		if err != nil {
			return "", err
		}
		algorithms, err := algorithmsFor(s)
		if err != nil {
			return "", err
		}
		for _, algorithm := range algorithms {
			if err := signCertificate(s, algorithm); err != nil {
				return "", err
			}
			count++
		}
	}
	return fmt.Sprintf("%d certificates", count), nil
}

// refusals are what SPIRE's conformance suite for key managers looks for.
func (h *host) refusals() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	_, err := h.keyManager.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{KeyType: keymanagerv1.KeyType_EC_P256})
	if detail, err := expectStatus(err, codes.InvalidArgument, "key id is required"); err != nil {
		return detail, err
	}
	_, err = h.keyManager.GenerateKey(ctx, &keymanagerv1.GenerateKeyRequest{KeyId: "x"})
	if detail, err := expectStatus(err, codes.InvalidArgument, "key type is required"); err != nil {
		return detail, err
	}
	_, err = h.keyManager.GetPublicKey(ctx, &keymanagerv1.GetPublicKeyRequest{KeyId: "nope"})
	if detail, err := expectStatus(err, codes.NotFound, `key "nope" not found`); err != nil {
		return detail, err
	}
	_, err = h.keyManager.SignData(ctx, &keymanagerv1.SignDataRequest{KeyId: "nope", Data: make([]byte, 32)})
	return expectStatus(err, codes.InvalidArgument, "signer opts is required")
}

func expectStatus(err error, code codes.Code, text string) (string, error) {
	if status.Code(err) != code || !strings.Contains(status.Convert(err).Message(), text) {
		return "", fmt.Errorf("expected %s %q, got %v", code, text, err)
	}
	return err.Error(), nil
}

func (h *host) rotate() (string, error) {
	for _, name := range h.opts.keyTypes {
		if err := h.generateKey("interop-"+name, name); err != nil {
			return "", err
		}
	}
	if _, err := h.compareAll(); err != nil {
		return "", err
	}
	return h.sign()
}

func (h *host) concurrent() (string, error) {
	var wait sync.WaitGroup
	failures := make(chan error, h.opts.signers)
	for i := 0; i < h.opts.signers; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if _, err := h.sign(); err != nil {
				failures <- err
			}
		}()
	}
	wait.Wait()
	close(failures)
	return fmt.Sprintf("%d goroutines", h.opts.signers), <-failures
}

// interrupt sends what Ctrl-C in a terminal sends to the whole group.
func (h *host) interrupt() (string, error) {
	for range 3 {
		if err := syscall.Kill(h.pid(), syscall.SIGINT); err != nil {
			return "", err
		}
		if err := h.protocol.Ping(); err != nil {
			return "", err
		}
	}
	return "", nil
}

func (h *host) waitForMetrics() (string, error) {
	deadline := time.Now().Add(5 * time.Second)
	for len(h.metrics.all()) == 0 {
		if time.Now().After(deadline) {
			return "", errors.New("the plugin sent no metric")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Sprintf("%d metrics", len(h.metrics.all())), nil
}

func (h *host) deinit() (string, error) {
	ctx, cancel := h.callContext()
	defer cancel()
	return "", private.Deinit(ctx, h.conn)
}

func (h *host) shutdown() (string, error) {
	started := time.Now()
	h.client.Kill()
	took := time.Since(started)
	for _, entry := range h.capture.entries() {
		if strings.Contains(entry.Message, "failed to exit gracefully") {
			return "", fmt.Errorf("killed after %s", took)
		}
	}
	if took >= shutdownLimit {
		return "", fmt.Errorf("took %s", took)
	}
	return took.String(), nil
}

func (h *host) sigterm() (string, error) {
	if err := syscall.Kill(h.pid(), syscall.SIGTERM); err != nil {
		return "", err
	}
	return "", h.waitForExit(shutdownLimit)
}

func (h *host) sigkill() (string, error) {
	if err := syscall.Kill(h.pid(), syscall.SIGKILL); err != nil {
		return "", err
	}
	if err := h.waitForExit(shutdownLimit); err != nil {
		return "", err
	}
	digest := sha256.Sum256(nil)
	ctx, cancel := h.callContext()
	defer cancel()
	_, err := h.keyManager.SignData(ctx, &keymanagerv1.SignDataRequest{KeyId: "x", Data: digest[:]})
	return expectStatus(err, codes.Unavailable, "")
}
