package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The steps of the kinds beside the server's KeyManager. Each knows what the plugin in plugins/ does.
func (h *host) kindSteps() map[string]func() (string, error) {
	return map[string]func() (string, error){
		"agent-key-manager":   h.agentKeyManager,
		"agent-node-attestor": h.agentNodeAttestor,
		"bundle-publisher":    h.bundlePublisher,
		"credential-composer": h.credentialComposer,
		"node-attestor":       h.nodeAttestor,
		"node-attestor-host":  h.nodeAttestorHostServices,
		"notifier":            h.notifier,
		"svid-store":          h.svidStore,
		"upstream-authority":  h.upstreamAuthority,
		"upstream-jwt":        h.upstreamJwt,
		"workload-attestor":   h.workloadAttestor,
	}
}

// received takes one message from a stream.
type received[T any] interface{ Recv() (T, error) }

func expectEnd[T any](stream received[T]) error {
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("expected the end of the stream, got %v", err)
	}
	return nil
}

// expectDetails wants the ErrorInfo that the plugins in plugins/ attach.
func expectDetails(err error, code codes.Code) error {
	if status.Code(err) != code {
		return fmt.Errorf("expected %s, got %v", code, err)
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			if info.Reason == "REFUSED_BY_FIXTURE" && info.Domain == "example.org" && info.Metadata["kind"] != "" {
				return nil
			}
			return fmt.Errorf("details are %v", info)
		}
	}
	return fmt.Errorf("no ErrorInfo in %v", err)
}

// expectCancelled makes a call that never ends by itself, leaves it, and waits until the plugin says that it knows.
func (h *host) expectCancelled(call func(context.Context) error) error {
	before := h.countOf("fixture.cancelled")
	ctx, cancel := context.WithCancel(context.Background())
	started := h.countOf("fixture.waiting")
	failed := make(chan error, 1)
	go func() { failed <- call(ctx) }()
	if err := h.waitForCount("fixture.waiting", started+1); err != nil {
		cancel()
		return err
	}
	cancel()
	if err := <-failed; status.Code(err) != codes.Canceled {
		return fmt.Errorf("expected Canceled, got %v", err)
	}
	return h.waitForCount("fixture.cancelled", before+1)
}

// expectDeadline does the same by a deadline.
func (h *host) expectDeadline(call func(context.Context) error) error {
	before := h.countOf("fixture.cancelled")
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if err := call(ctx); status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("expected DeadlineExceeded, got %v", err)
	}
	return h.waitForCount("fixture.cancelled", before+1)
}

func (h *host) countOf(key string) int {
	count := 0
	for _, metric := range h.metrics.all() {
		if metric.Key == key {
			count++
		}
	}
	return count
}

func (h *host) waitForCount(key string, count int) error {
	deadline := time.Now().Add(20 * time.Second)
	for h.countOf(key) < count {
		if time.Now().After(deadline) {
			return fmt.Errorf("the plugin did not count %s", key)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// firstError runs checks in order.
func firstError(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}
