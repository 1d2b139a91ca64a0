// Plays calls of the Metrics host service, one JSON object a line, to go-metrics as SPIRE Server sets it up, and prints what its
// sink for Prometheus answers to a scrape.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"sort"

	metrics "github.com/hashicorp/go-metrics"
	sink "github.com/hashicorp/go-metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

type call struct {
	Kind   string            `json:"kind"`
	Key    []string          `json:"key"`
	Value  float32           `json:"value"`
	Labels map[string]string `json:"labels"`
}

func labelsOf(byName map[string]string) []metrics.Label {
	var labels []metrics.Label
	for name, value := range byName {
		labels = append(labels, metrics.Label{Name: name, Value: value})
	}
	sort.Slice(labels, func(i, j int) bool { return labels[i].Name < labels[j].Name })
	return labels
}

func main() {
	registry := prometheus.NewRegistry()
	prom, err := sink.NewPrometheusSinkFrom(sink.PrometheusOpts{Expiration: 60e9, Registerer: registry})
	if err != nil {
		log.Fatal(err)
	}
	conf := metrics.DefaultConfig("spire_server")
	conf.EnableHostname = false
	conf.EnableHostnameLabel = false
	conf.EnableTypePrefix = false
	conf.EnableRuntimeMetrics = false
	service, err := metrics.New(conf, prom)
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			log.Fatal(err)
		}
		switch c.Kind {
		case "gauge":
			service.SetGaugeWithLabels(c.Key, c.Value, labelsOf(c.Labels))
		case "counter":
			service.IncrCounterWithLabels(c.Key, c.Value, labelsOf(c.Labels))
		case "sample":
			service.AddSampleWithLabels(c.Key, c.Value, labelsOf(c.Labels))
		}
	}
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(os.Stdout, family); err != nil {
			log.Fatal(err)
		}
	}
}
