package main

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// logEntry is a line of the host's log after go-plugin has read the plugin's stderr.
type logEntry struct {
	Level   string                 `json:"level"`
	Module  string                 `json:"module"`
	Message string                 `json:"message"`
	Fields  map[string]interface{} `json:"fields"`
}

// syncBuffer is written by go-plugin's goroutines.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *syncBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

// logCapture collects the host's log, and what the plugin prints to its own stdout and stderr.
type logCapture struct {
	log    syncBuffer
	stdout syncBuffer
	stderr syncBuffer
}

func newLogCapture() *logCapture {
	return &logCapture{}
}

func (c *logCapture) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Name: "host", Level: hclog.Trace, Output: &c.log, JSONFormat: true})
}

func (c *logCapture) entries() []logEntry {
	entries := []logEntry{}
	for _, line := range bytes.Split(c.log.bytes(), []byte("\n")) {
		fields := map[string]interface{}{}
		if json.Unmarshal(line, &fields) != nil {
			continue
		}
		entry := logEntry{Fields: fields}
		for name, target := range map[string]*string{"@level": &entry.Level, "@module": &entry.Module, "@message": &entry.Message} {
			*target, _ = fields[name].(string)
			delete(fields, name)
		}
		delete(fields, "@timestamp")
		entries = append(entries, entry)
	}
	return entries
}
