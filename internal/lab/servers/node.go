package main

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed node
var nodeFiles embed.FS

// nodeServers starts those that are written for Node, in one process.
func nodeServers(ctx context.Context) ([]server, error) {
	if !found("node", "npm") {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "forbear-lab-")
	if err != nil {
		return nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) } // a temporary folder
	port, end, err := startNode(ctx, dir)
	if err != nil {
		clean()
		return nil, err
	}
	versions, err := nodeVersions()
	if err != nil {
		return nil, err
	}
	var all []server
	for _, r := range rates {
		for _, s := range [][2]string{
			{"express-rate-limit", "legacy"},
			{"express-rate-limit", "draft-6"},
			{"express-rate-limit", "draft-7"},
			{"express-rate-limit", "draft-8"},
			{"rate-limiter-flexible", "flexible"},
		} {
			name := s[0] + " " + versions[s[0]]
			if s[0] == "express-rate-limit" {
				name += ", " + s[1]
			}
			all = append(all, server{
				name: name, setup: r.String(), rate: r.perSecond(), stop: func() {}, announced: true,
				url: fmt.Sprintf("http://127.0.0.1:%s/%s/%d/%d", port, s[1], r.limit, int(r.window.Seconds())),
			})
		}
	}
	all[len(all)-1].stop = func() { end(); clean() }
	return all, nil
}

// startNode installs the packages and starts the server. It returns its port.
func startNode(ctx context.Context, dir string) (port string, end func(), err error) {
	files, err := fs.Sub(nodeFiles, "node")
	if err != nil {
		return "", nil, err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return "", nil, err
	}
	install := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	node := exec.CommandContext(ctx, "node", "server.mjs")
	node.Dir, node.Stderr = dir, os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := node.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := node.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		in.Close() // it ends with its input
		_ = node.Wait()
	}
	port, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		end()
		return "", nil, fmt.Errorf("node: %w", err)
	}
	return strings.TrimSpace(port), end, nil
}

func nodeVersions() (map[string]string, error) {
	text, err := nodeFiles.ReadFile(filepath.ToSlash("node/package.json"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	err = json.Unmarshal(text, &file)
	return file.Dependencies, err
}

// found reports whether programs are installed, and says so if they are not.
func found(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			fmt.Fprintf(os.Stdout, "%s is not installed: its servers are left out\n", p)
			return false
		}
	}
	return true
}
