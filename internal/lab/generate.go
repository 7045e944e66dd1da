package lab

//go:generate go test -timeout 10m -run TestLab . -update
//go:generate go test -run TestContract ./contract -update
//go:generate go test -run TestSDKs ./sdks -update
//go:generate go test -run TestHarm ./harm -update
//go:generate go test -run TestFleets ./fleets -update
//go:generate go run ./servers -update
//go:generate sh -c "for i in 1 2 3 4 5 6 7 8 9 10; do go test -run '^$' -bench . -benchtime 50ms ./cost || exit; done > testdata/cost.txt"
//go:generate go run ./report
