package simnet_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/simnet"
)

func ExampleNew() {
	api, err := apiserver.NewBindbee(1)
	if err != nil {
		fmt.Println(err)
		return
	}
	network := simnet.New(api, 1)
	network.Min, network.Max = time.Millisecond, 2*time.Millisecond // no bubble here: real time
	client := &http.Client{Transport: network}

	res, err := client.Get("http://api.test/employees")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.StatusCode, res.Header.Get("X-RateLimit-Remaining"), network.Open())
	res.Body.Close()
	fmt.Println(network.Open())
	// Output:
	// 200 199 1
	// 0
}

func ExampleInto() {
	now := time.Date(2024, 2, 29, 12, 0, 30, 0, time.UTC)
	start := simnet.Into(now, time.Minute, 17300*time.Millisecond)
	fmt.Println(start.Format("15:04:05.0"))
	// Output: 12:01:17.3
}
