// Command go-host loads a SPIRE plugin the way SPIRE Server does, with HashiCorp's go-plugin and SPIRE's own
// plugin SDK, and puts it through the steps it is told. The report goes to stdout as one JSON object; the exit code is 1
// when a step has failed. "go-host describe" prints what the SDK's descriptors say.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// options say which plugin is loaded, and how.
type options struct {
	pluginPath  string
	pluginName  string
	pluginType  string
	pluginData  string
	checksum    string
	trustDomain string
	autoMTLS    bool
	multiplex   bool
	keyTypes    []string
	signers     int
	callTimeout time.Duration
	startLimit  time.Duration
}

// stepResult is one line of the report.
type stepResult struct {
	Step   string  `json:"step"`
	OK     bool    `json:"ok"`
	Detail string  `json:"detail,omitempty"`
	Millis float64 `json:"millis"`
}

type report struct {
	OK        bool         `json:"ok"`
	GoPlugin  string       `json:"goPlugin"`
	StartedIn float64      `json:"startedInMillis"`
	Steps     []stepResult `json:"steps"`
	Metrics   []metric     `json:"metrics"`
	Log       []logEntry   `json:"log"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "describe" {
		describeSdk(os.Stdout)
		return
	}
	opts, steps, err := parseFlags()
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-host:", err)
		os.Exit(2)
	}
	result := run(opts, steps)
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(result); err != nil || !result.OK {
		os.Exit(1)
	}
}

func parseFlags() (*options, []string, error) {
	opts := &options{}
	var dataFile, keyTypes, steps string
	flag.StringVar(&opts.pluginPath, "plugin", "", "path of the plugin's executable")
	flag.StringVar(&opts.pluginName, "name", "aws_kms", "the plugin's name in SPIRE's configuration")
	flag.StringVar(&opts.pluginType, "type", "KeyManager", "SPIRE's type of the plugin")
	flag.StringVar(&dataFile, "data-file", "", "file with the plugin_data, HCL text; none configures with an empty text")
	flag.StringVar(&opts.checksum, "checksum", "auto", "hex SHA-256, auto for the file's own, or none")
	flag.StringVar(&opts.trustDomain, "trust-domain", "example.org", "the trust domain")
	flag.BoolVar(&opts.autoMTLS, "auto-mtls", false, "turn AutoMTLS on")
	flag.BoolVar(&opts.multiplex, "multiplex", false, "ask for gRPC broker multiplexing")
	flag.StringVar(&keyTypes, "key-types", "EC_P256,EC_P384,RSA_2048,RSA_4096", "key types to generate")
	flag.IntVar(&opts.signers, "signers", 16, "goroutines of the concurrent step")
	flag.DurationVar(&opts.callTimeout, "call-timeout", 30*time.Second, "limit of one call; SPIRE's is 30s")
	flag.DurationVar(&opts.startLimit, "start-limit", time.Minute, "limit of the start; go-plugin's is 1m")
	flag.StringVar(&steps, "steps", "ping,init,validate,configure,generate,sign,rotate,concurrent,interrupt,deinit,shutdown", "what to do, in order")
	flag.Parse()
	if opts.pluginPath == "" {
		return nil, nil, fmt.Errorf("-plugin is missing")
	}
	if dataFile != "" {
		data, err := os.ReadFile(dataFile)
		if err != nil {
			return nil, nil, err
		}
		opts.pluginData = string(data)
	}
	opts.keyTypes = strings.Split(keyTypes, ",")
	return opts, strings.Split(steps, ","), nil
}

func run(opts *options, names []string) report {
	result := report{OK: true, GoPlugin: goPluginVersion()}
	capture := newLogCapture()
	started := time.Now()
	host, err := loadPlugin(opts, capture)
	result.StartedIn = millisSince(started)
	result.Steps = append(result.Steps, outcome("load", started, "", err))
	if err == nil {
		for _, name := range names {
			result.Steps = append(result.Steps, host.runStep(name))
		}
		host.kill()
		result.Metrics = host.metrics.all()
	}
	for _, step := range result.Steps {
		result.OK = result.OK && step.OK
	}
	result.Log = capture.entries()
	return result
}

func outcome(name string, started time.Time, detail string, err error) stepResult {
	if err != nil {
		detail = err.Error()
	}
	return stepResult{Step: name, OK: err == nil, Detail: detail, Millis: millisSince(started)}
}

func millisSince(started time.Time) float64 {
	return float64(time.Since(started).Microseconds()) / 1000
}
