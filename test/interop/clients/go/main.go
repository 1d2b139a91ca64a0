// Command clients lets programs in Go that use AWS KMS do their ordinary day: `clients NAME`. Endpoint, Region, credentials and
// trust come from the environment, as users give them. Prints what it saw, as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type results map[string]any

var days = map[string]func(context.Context) (results, error){
	"aws-sdk-go-v2": awsSdk,
	"sigstore":      sigstoreDay,
	"sops":          sopsDay,
	"step":          stepDay,
	"terraform":     terraformDay,
	"vault":         vaultDay,
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	day, ok := days[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "there is no client %q\n", name)
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	seen, err := day(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
