package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/forbear-go/forbear/internal/freeport"
)

// nginxConf has the limit of nginx's documentation, with a burst that does not wait,
// and 429 in place of 503.
const nginxConf = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	limit_req_zone $binary_remote_addr zone=one:1m rate=10r/s;
	server {
		listen %s;
		location / {
			limit_req zone=one burst=20 nodelay;
			limit_req_status 429;
			try_files /index.html =404;
		}
	}
}
`

// nginxServer starts nginx, if it is installed.
func nginxServer(ctx context.Context) ([]server, error) {
	if !found("nginx") {
		return nil, nil
	}
	version, err := exec.CommandContext(ctx, "nginx", "-v").CombinedOutput()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "forbear-lab-")
	if err != nil {
		return nil, err
	}
	address, _, err := freeport.Find()
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"nginx.conf": fmt.Sprintf(nginxConf, address), "html/index.html": `{"data":[]}`} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	nginx := exec.CommandContext(ctx, "nginx", "-p", dir, "-c", "nginx.conf") //nolint:gosec // our own folder
	nginx.Stderr = os.Stderr
	if err := nginx.Start(); err != nil {
		cancel()
		return nil, err
	}
	stop := func() {
		cancel()
		_ = nginx.Wait() // it was killed
		_ = os.RemoveAll(dir)
	}
	if err := listens(ctx, "http://"+address); err != nil {
		stop()
		return nil, err
	}
	name := strings.TrimSpace(strings.TrimPrefix(string(version), "nginx version: "))
	return []server{{name: name + ", limit_req", setup: "10r/s, burst=20 nodelay", url: "http://" + address, rate: 10, stop: stop}}, nil
}

// listens waits until somebody answers.
func listens(ctx context.Context, url string) error {
	var err error
	for range 50 {
		if err = sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		var resp *http.Response
		if resp, err = http.Get(url); err == nil { //nolint:gosec,noctx // our own server
			return resp.Body.Close()
		}
	}
	return err
}
