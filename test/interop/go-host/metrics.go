package main

import (
	"context"
	"strings"
	"sync"

	metricsv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/hostservice/common/metrics/v1"
	"google.golang.org/protobuf/types/known/emptypb"
)

const metricsServiceName = "spire.hostservice.common.metrics.v1.Metrics"

type metric struct {
	Call   string            `json:"call"`
	Key    string            `json:"key"`
	Value  float32           `json:"value"`
	Labels map[string]string `json:"labels,omitempty"`
}

// metricsServer is the host's Metrics service; it keeps what it is told.
type metricsServer struct {
	metricsv1.UnimplementedMetricsServer
	mu   sync.Mutex
	seen []metric
}

func (s *metricsServer) all() []metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]metric{}, s.seen...)
}

func (s *metricsServer) keep(call string, key []string, value float32, labels []*metricsv1.Label) (*emptypb.Empty, error) {
	byName := map[string]string{}
	for _, label := range labels {
		byName[label.Name] = label.Value
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, metric{Call: call, Key: strings.Join(key, "."), Value: value, Labels: byName})
	return &emptypb.Empty{}, nil
}

func (s *metricsServer) SetGauge(_ context.Context, req *metricsv1.SetGaugeRequest) (*emptypb.Empty, error) {
	return s.keep("SetGauge", req.Key, req.Val, req.Labels)
}

func (s *metricsServer) EmitKey(_ context.Context, req *metricsv1.EmitKeyRequest) (*emptypb.Empty, error) {
	return s.keep("EmitKey", req.Key, req.Val, nil)
}

func (s *metricsServer) IncrCounter(_ context.Context, req *metricsv1.IncrCounterRequest) (*emptypb.Empty, error) {
	return s.keep("IncrCounter", req.Key, req.Val, req.Labels)
}

func (s *metricsServer) AddSample(_ context.Context, req *metricsv1.AddSampleRequest) (*emptypb.Empty, error) {
	return s.keep("AddSample", req.Key, req.Val, req.Labels)
}

func (s *metricsServer) MeasureSince(_ context.Context, req *metricsv1.MeasureSinceRequest) (*emptypb.Empty, error) {
	return s.keep("MeasureSince", req.Key, 0, req.Labels)
}
