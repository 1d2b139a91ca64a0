//go:build !nomultiplex

package main

import goplugin "github.com/hashicorp/go-plugin"

func askForMultiplexing(config *goplugin.ClientConfig) error {
	config.GRPCBrokerMultiplex = true
	return nil
}
