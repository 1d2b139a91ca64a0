// Command go-driver loads KeyManager plugins as SPIRE Server does and loads them with calls, for the benchmark: the same
// for each plugin, so that what differs is the plugin's. It reads one JSON command a line and answers each with one line.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// command is a line of the input; what it does not need stays empty.
type command struct {
	Do        string   `json:"do"`
	Plugin    string   `json:"plugin"`  // the name of one that was started
	Path      string   `json:"path"`    // start, exec
	Args      []string `json:"args"`    // exec
	Env       []string `json:"env"`     // start, exec: the whole environment, KEY=value
	Hcl       string   `json:"hcl"`     // configure
	KeyId     string   `json:"keyId"`   // sign, generate
	KeyType   string   `json:"keyType"` // generate
	Hash      string   `json:"hash"`    // sign: SHA256 or SHA384
	Callers   int      `json:"callers"` // sign: this many, each asks again when it is answered
	Calls     int      `json:"calls"`   // sign: so many in all
	PerSecond float64  `json:"perSecond"`
	Generate  int      `json:"generate"` // sign: make this many keys meanwhile, one after another
	TimeoutMs int      `json:"timeoutMs"`
	Unchecked bool     `json:"unchecked"` // sign: not even the first signature is verified; every call is counted
}

type answer map[string]any

func main() {
	plugins := map[string]*plugin{}
	defer func() {
		for _, p := range plugins {
			p.client.Kill()
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		result, err := answer(nil), json.Unmarshal(lines.Bytes(), &c)
		if err == nil {
			result, err = perform(plugins, &c)
		}
		if err != nil {
			result = answer{"error": err.Error()}
		}
		if output.Encode(result) != nil {
			return
		}
	}
}

func perform(plugins map[string]*plugin, c *command) (answer, error) {
	switch c.Do {
	case "exec":
		started := time.Now()
		cmd := exec.Command(c.Path, c.Args...)
		cmd.Env = c.Env
		err := cmd.Run()
		return answer{"ms": millis(time.Since(started))}, err
	case "start":
		p, handshake, err := start(c)
		if err != nil {
			return nil, err
		}
		plugins[c.Plugin] = p
		return answer{"pid": p.pid, "ms": millis(handshake)}, nil
	}
	p := plugins[c.Plugin]
	if p == nil {
		return nil, fmt.Errorf("no plugin %q was started", c.Plugin)
	}
	switch c.Do {
	case "configure":
		return p.measured(func() (answer, error) { return answer{}, p.configure(c) })
	case "generate":
		return p.measured(func() (answer, error) { return answer{}, p.generate(c.KeyId, c.KeyType) })
	case "sign":
		return p.measured(func() (answer, error) { return p.signAll(c) })
	case "cpu":
		cpu, err := p.cpu()
		return answer{"cpuMs": millis(cpu)}, err
	case "kill":
		p.client.Kill()
		delete(plugins, c.Plugin)
		return answer{}, nil
	}
	return nil, fmt.Errorf("no command %q", c.Do)
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
