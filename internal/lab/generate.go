package lab

//go:generate go test -timeout 10m -run TestLab . -update
//go:generate go test -run TestContract ./contract -update
//go:generate sh -c "for i in 1 2 3 4 5; do go test -run '^$' -bench . -benchtime 200ms ./cost || exit; done > testdata/cost.txt"
//go:generate go run ./report
