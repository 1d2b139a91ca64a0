//go:build nomultiplex

package main

import (
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
)

// Before 1.6 go-plugin could not multiplex.
func askForMultiplexing(*goplugin.ClientConfig) error {
	return errors.New("this version of go-plugin has no multiplexing to ask for")
}
