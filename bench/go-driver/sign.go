package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	keymanagerv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	"google.golang.org/grpc/status"
)

// digestCount bounds how many different digests are asked for: the stub signs each of them once.
const digestCount = 256

type outcome struct {
	elapsed time.Duration
	err     error
}

// load is one run of SignData calls.
type load struct {
	plugin   *plugin
	requests []*keymanagerv1.SignDataRequest
	timeout  time.Duration
}

// signAll makes the calls: as fast as so many callers do, or so many a second whether or not earlier ones were answered.
// With a rate the time of a call runs from when it was due, so that what waits behind a stalled plugin is counted.
func (p *plugin) signAll(c *command) (answer, error) {
	l := &load{plugin: p, requests: requests(c), timeout: time.Duration(c.TimeoutMs) * time.Millisecond}
	if l.timeout == 0 {
		l.timeout = 30 * time.Second
	}
	if !c.Unchecked {
		if err := l.checkOne(); err != nil {
			return nil, err
		}
	}
	made := make(chan error, 1)
	go func() { made <- p.generateKeys(c.Generate) }()
	started := time.Now()
	var outcomes []outcome
	if c.PerSecond > 0 {
		outcomes = l.paced(c.Calls, c.PerSecond)
	} else {
		outcomes = l.closed(c.Calls, c.Callers)
	}
	seconds := time.Since(started).Seconds()
	if err := <-made; err != nil {
		return nil, err
	}
	result := summary(outcomes)
	result["seconds"] = seconds
	return result, nil
}

func (p *plugin) generateKeys(count int) error {
	for index := range count {
		if err := p.generate(fmt.Sprintf("bench-%d", index), "EC_P256"); err != nil {
			return err
		}
	}
	return nil
}

func requests(c *command) []*keymanagerv1.SignDataRequest {
	made := make([]*keymanagerv1.SignDataRequest, digestCount)
	hash := keymanagerv1.HashAlgorithm(keymanagerv1.HashAlgorithm_value[c.Hash])
	for index := range made {
		text := []byte(fmt.Sprintf("message %d", index))
		sum := sha256.Sum256(text)
		digest := sum[:]
		if hash == keymanagerv1.HashAlgorithm_SHA384 {
			sum := sha512.Sum384(text)
			digest = sum[:]
		}
		made[index] = &keymanagerv1.SignDataRequest{
			KeyId:      c.KeyId,
			Data:       digest,
			SignerOpts: &keymanagerv1.SignDataRequest_HashAlgorithm{HashAlgorithm: hash},
		}
	}
	return made
}

func (l *load) sign(index int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	response, err := l.plugin.keyManager.SignData(ctx, l.requests[index%digestCount])
	if err != nil {
		return nil, err
	}
	if len(response.Signature) == 0 {
		return nil, errors.New("an empty signature")
	}
	return response.Signature, nil
}

// checkOne verifies one signature, so that no figure is that of a plugin that does not sign.
func (l *load) checkOne() error {
	request := l.requests[0]
	signature, err := l.sign(0)
	if err != nil {
		return err
	}
	found, err := l.plugin.keyManager.GetPublicKey(context.Background(), &keymanagerv1.GetPublicKeyRequest{KeyId: request.KeyId})
	if err != nil {
		return err
	}
	public, err := x509.ParsePKIXPublicKey(found.GetPublicKey().GetPkixData())
	if err != nil {
		return err
	}
	isValid := false
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		isValid = ecdsa.VerifyASN1(key, request.Data, signature)
	case *rsa.PublicKey:
		isValid = rsa.VerifyPKCS1v15(key, crypto.SHA256, request.Data, signature) == nil
	}
	if !isValid {
		return fmt.Errorf("the signature of %q does not verify", request.KeyId)
	}
	return nil
}

func (l *load) closed(calls, callers int) []outcome {
	outcomes := make([]outcome, calls)
	var group sync.WaitGroup
	for caller := range callers {
		group.Add(1)
		go func() {
			defer group.Done()
			for index := caller; index < calls; index += callers {
				started := time.Now()
				_, err := l.sign(index)
				outcomes[index] = outcome{time.Since(started), err}
			}
		}()
	}
	group.Wait()
	return outcomes
}

func (l *load) paced(calls int, perSecond float64) []outcome {
	outcomes := make([]outcome, calls)
	started := time.Now()
	var group sync.WaitGroup
	for index := range calls {
		due := started.Add(time.Duration(float64(index) / perSecond * float64(time.Second)))
		time.Sleep(time.Until(due))
		group.Add(1)
		go func() {
			defer group.Done()
			_, err := l.sign(index)
			outcomes[index] = outcome{time.Since(due), err}
		}()
	}
	group.Wait()
	return outcomes
}

// summary has the times of the calls that succeeded, and how many failed, by their status.
func summary(outcomes []outcome) answer {
	var times []float64
	failed := map[string]int{}
	for _, one := range outcomes {
		if one.err != nil {
			failed[status.Code(one.err).String()]++
			continue
		}
		times = append(times, millis(one.elapsed))
	}
	sort.Float64s(times)
	at := func(share float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return times[min(len(times)-1, int(share*float64(len(times))))]
	}
	return answer{"succeeded": len(times), "failed": failed, "p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "most": at(1)}
}
