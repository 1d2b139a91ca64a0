package main

import (
	"os/exec"
	"syscall"
)

// pluginCommand starts the plugin as SPIRE does on Linux: it dies with the thread that started it.
func pluginCommand(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}
