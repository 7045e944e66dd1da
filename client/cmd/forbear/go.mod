module github.com/forbear-go/forbear/client/cmd/forbear

go 1.26.0

replace github.com/forbear-go/forbear => ../../..

require (
	github.com/forbear-go/forbear v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/time v0.16.0 // indirect
)
