package sdks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/forbear-go/forbear/client"
	"github.com/forbear-go/forbear/internal/ratemodel"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Kubernetes returns a configuration whose clients use forbear.
func Kubernetes(config *rest.Config) *rest.Config {
	config = rest.CopyConfig(config)
	config.QPS = -1 // forbear waits
	config.Wrap(func(base http.RoundTripper) http.RoundTripper {
		transport, err := client.NewTransport(base)
		if err != nil {
			panic(err) // an option is wrong, and there is none
		}
		return transport
	})
	return config
}

func kubernetesSDK() SDK {
	return SDK{
		Name: "client-go", Module: "k8s.io/client-go", Func: "Kubernetes", File: "kubernetes.go",
		Limits: "nothing but 429 with `Retry-After: 1` where the priority level is full; here a bucket of 50, and 20 more a second",
		Source: "https://kubernetes.io/docs/concepts/cluster-administration/flow-control/",
		Own:    "a limiter of 5 requests a second, 10 at once; 10 retries of any method on 429 and 5xx that carry `Retry-After`",
		Off:    "`QPS = -1`; retries only request by request, `MaxRetries(0)`",
		Note: "`Wrap` keeps TLS and tokens of the configuration; an http.Client of your own would have to bring them. The retries of typed " +
			"clients cannot be switched off (the calls above go through a RESTClient, with `MaxRetries(0)` each): where a server " +
			"refuses everything, one call of theirs is eleven times five requests.",
		Calls:  400,
		server: kubernetesServer, connect: connectKubernetes,
	}
}

func connectKubernetes(hc *http.Client, s Setup) (Call, error) {
	config := &rest.Config{
		Host: "http://kubernetes.test", APIPath: "/api", Transport: hc.Transport, BearerToken: token,
		ContentConfig: rest.ContentConfig{
			GroupVersion:         &schema.GroupVersion{Version: "v1"},
			NegotiatedSerializer: serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion(),
		},
	}
	retries := 10
	switch s {
	case Advised:
		config, retries = Kubernetes(config), 0
	case LeftOn:
		config = Kubernetes(config)
		config.QPS = 0
	}
	api, err := rest.RESTClientFor(config)
	return callKubernetes(api, retries), err
}

func callKubernetes(api *rest.RESTClient, retries int) Call {
	return func(ctx context.Context, i int) error {
		want := "pod-" + strconv.Itoa(i)
		text, err := api.Get().Namespace("default").Resource("pods").Name(want).MaxRetries(retries).Do(ctx).Raw()
		if err != nil {
			return err
		}
		var got struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(text, &got); err != nil || got.Metadata.Name != want {
			return fmt.Errorf("%s was asked for, and %q came: %w", want, text, err)
		}
		return nil
	}
}

func kubernetesServer() *server {
	return &server{
		model: func(string) ratemodel.Model { return ratemodel.NewBucket(50, 20, time.Second) },
		refuse: func(w http.ResponseWriter, _ time.Duration) {
			w.Header().Set("Retry-After", "1")
			reply(w, http.StatusTooManyRequests, map[string]any{"kind": "Status", "status": "Failure", "reason": "TooManyRequests", "code": 429})
		},
		answer: func(w http.ResponseWriter, r *http.Request) {
			reply(w, http.StatusOK, map[string]any{"kind": "Pod", "metadata": map[string]string{"name": path.Base(r.URL.Path)}})
		},
	}
}
