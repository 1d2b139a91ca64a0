// Answers, line by line, what the libraries of the built-in plugin make of an environment: which credentials the AWS SDK
// for Go v2 chooses (nothing is asked for), or which proxy Go's HTTP client takes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/net/http/httpproxy"
)

type question struct {
	Env         map[string]string
	Config      string
	Credentials string
	Profile     string
	Proxy       *struct{ HTTPProxy, HTTPSProxy, NoProxy, URL string }
}

var names = map[aws.CredentialSource]string{
	aws.CredentialSourceEnvVars:              "environment",
	aws.CredentialSourceEnvVarsSTSWebIDToken: "environment web identity",
	aws.CredentialSourceProfile:              "keys",
	aws.CredentialSourceProfileSourceProfile: "",
	aws.CredentialSourceProfileNamedProvider: "",
	aws.CredentialSourceProfileSTSWebIDToken: "web identity",
	aws.CredentialSourceProfileSSO:           "",
	aws.CredentialSourceSSO:                  "sso",
	aws.CredentialSourceProfileSSOLegacy:     "",
	aws.CredentialSourceSSOLegacy:            "sso",
	aws.CredentialSourceProfileProcess:       "",
	aws.CredentialSourceProcess:              "process",
	aws.CredentialSourceProfileLogin:         "",
	aws.CredentialSourceLogin:                "login",
	aws.CredentialSourceHTTP:                 "container",
	aws.CredentialSourceIMDS:                 "instance",
	aws.CredentialSourceSTSAssumeRole:        "role",
	aws.CredentialSourceSTSAssumeRoleWebID:   "",
}

func choose(q question, folder string) (string, error) {
	os.Clearenv()
	for _, name := range []string{"config", "credentials"} {
		os.Remove(filepath.Join(folder, name))
	}
	if q.Config != "" {
		os.WriteFile(filepath.Join(folder, "config"), []byte(q.Config), 0o600)
	}
	if q.Credentials != "" {
		os.WriteFile(filepath.Join(folder, "credentials"), []byte(q.Credentials), 0o600)
	}
	os.Setenv("AWS_CONFIG_FILE", filepath.Join(folder, "config"))
	os.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(folder, "credentials"))
	for name, value := range q.Env {
		os.Setenv(name, value)
	}
	options := []func(*config.LoadOptions) error{config.WithRegion("us-east-2")}
	if q.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(q.Profile))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return "", err
	}
	source, ok := cfg.Credentials.(aws.CredentialProviderSource)
	if !ok {
		return "", fmt.Errorf("%T does not tell its sources", cfg.Credentials)
	}
	words := []string{}
	for _, one := range source.ProviderSources() {
		name, known := names[one]
		if !known {
			name = fmt.Sprint(one)
		}
		if name != "" {
			words = append(words, name)
		}
	}
	// Keys are there without asking a service, and tell whose they are.
	if last := words[len(words)-1]; last == "environment" || last == "keys" {
		found, err := cfg.Credentials.Retrieve(context.Background())
		if err != nil {
			return "", err
		}
		words = append(words, found.AccessKeyID)
	}
	return strings.Join(words, " "), nil
}

func proxyOf(q question) (string, error) {
	c := httpproxy.Config{HTTPProxy: q.Proxy.HTTPProxy, HTTPSProxy: q.Proxy.HTTPSProxy, NoProxy: q.Proxy.NoProxy}
	target, err := url.Parse(q.Proxy.URL)
	if err != nil {
		return "", err
	}
	proxy, err := c.ProxyFunc()(target)
	if err != nil || proxy == nil {
		return "", err
	}
	return proxy.String(), nil
}

func main() {
	folder, err := os.MkdirTemp("", "aws-environment-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	lines := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var q question
		if err := json.Unmarshal(line, &q); err != nil {
			panic(err)
		}
		answer := choose
		if q.Proxy != nil {
			answer = func(q question, _ string) (string, error) { return proxyOf(q) }
		}
		found, err := answer(q, folder)
		refused := ""
		if err != nil {
			refused = err.Error()
		}
		out.Encode(map[string]string{"found": found, "refused": refused})
	}
}
