// Command go-stub answers as little of KMS and STS as lets a plugin sign, and as fast as Go goes: real keys, real signatures
// over the digest that was asked for. What is measured beside it is the plugin.
//
// It prints its address and ends when stdin does. POST /bench sets the options of main.go's type options, from then on;
// GET /bench tells how many calls of each kind were answered since.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// options are how KMS behaves; the zero value answers everything at once.
type options struct {
	LatencyMs     int     `json:"latencyMs"`     // before each answer
	LateShare     float64 `json:"lateShare"`     // of the Sign calls, evenly spread, these are late
	LateMs        int     `json:"lateMs"`        // by this time
	SignQuota     float64 `json:"signQuota"`     // Sign calls a second; what is more is throttled. 0: none
	CreateDelayMs int     `json:"createDelayMs"` // before CreateKey answers
	ForeignKeys   int     `json:"foreignKeys"`   // keys of other owners that ListKeys tells of
	Aliases       []alias `json:"aliases"`       // made at once, each on a new key, instead of those that are there
}

type alias struct {
	Name string `json:"name"`
	Spec string `json:"spec"`
}

type server struct {
	mu      sync.Mutex
	options options
	counts  map[string]int
	tokens  float64
	filled  time.Time
	keys    *keyStore
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-stub:", err)
		os.Exit(1)
	}
	s := &server{counts: map[string]int{}, keys: newKeyStore()}
	mux := http.NewServeMux()
	mux.HandleFunc("/bench", s.control)
	mux.HandleFunc("/", s.answer)
	go func() { _ = http.Serve(listener, mux) }()
	fmt.Printf("http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (s *server) control(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		var wanted options
		if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.options, s.counts, s.tokens, s.filled = wanted, map[string]int{}, 0, time.Now()
		if wanted.Aliases != nil {
			s.keys.reset(wanted.Aliases)
		}
	}
	_ = json.NewEncoder(w).Encode(s.counts)
}

// admit counts the call, and says how long it waits and whether it is throttled.
func (s *server) admit(operation string) (wait time.Duration, isThrottled bool, now options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[operation]++
	now = s.options
	wait = time.Duration(now.LatencyMs) * time.Millisecond
	switch operation {
	case "CreateKey":
		wait += time.Duration(now.CreateDelayMs) * time.Millisecond
	case "Sign":
		count := float64(s.counts[operation])
		if int(count*now.LateShare) > int((count-1)*now.LateShare) {
			wait += time.Duration(now.LateMs) * time.Millisecond
		}
		isThrottled = now.SignQuota > 0 && !s.takeToken()
	}
	if isThrottled {
		s.counts["throttled"]++
	}
	return wait, isThrottled, now
}

// takeToken keeps a bucket that holds the tenth of a second's quota.
func (s *server) takeToken() bool {
	now := time.Now()
	s.tokens = min(s.tokens+now.Sub(s.filled).Seconds()*s.options.SignQuota, max(1, s.options.SignQuota/10))
	s.filled = now
	if s.tokens < 1 {
		return false
	}
	s.tokens--
	return true
}

const identity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::111122223333:user/bench</Arn><UserId>AIDABENCH</UserId><Account>111122223333</Account>` +
	`</GetCallerIdentityResult></GetCallerIdentityResponse>`

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	_, operation, isKms := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if err != nil || !isKms {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, identity)
		return
	}
	wait, isThrottled, now := s.admit(operation)
	if wait > 0 {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if isThrottled {
		fail(w, "ThrottlingException", "Rate exceeded")
		return
	}
	output, err := s.keys.perform(operation, body, now)
	if err != nil {
		fail(w, "ValidationException", err.Error())
		return
	}
	_, _ = w.Write(output)
}

func fail(w http.ResponseWriter, kind, message string) {
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
}
