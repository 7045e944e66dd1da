module github.com/forbear-go/forbear/client/fleet/redisfleet

go 1.26.0

replace github.com/forbear-go/forbear => ../../..

require (
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/forbear-go/forbear v0.2.0
	github.com/redis/go-redis/v9 v9.23.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)
