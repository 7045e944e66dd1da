module github.com/forbear-go/forbear/client/cmd/forbear

go 1.26.0

replace github.com/forbear-go/forbear => ../../..

require (
	github.com/forbear-go/forbear v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require go.yaml.in/yaml/v3 v3.0.5 // indirect
