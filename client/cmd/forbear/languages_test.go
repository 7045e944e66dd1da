package main

import (
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forbear-go/forbear/internal/apiserver"
	"github.com/forbear-go/forbear/internal/chance"
	"github.com/stretchr/testify/require"
)

// Programs in three languages that know nothing of each other share 200 requests in 3
// seconds: none is refused.
func TestLanguages(t *testing.T) {
	t.Parallel()
	programs := map[string][]string{
		"curl": {"-s", "-o", "/dev/null", "-w", "%{http_code}\n", "-H", "X-Connector-Token: shared", "URL/[1-100]"},
		"python3": {"-c", `
import urllib.request
for i in range(100):
    r = urllib.request.Request("URL/%d" % i, headers={"X-Connector-Token": "shared"})
    print(urllib.request.urlopen(r).status)`},
		"node": {"-e", `(async () => {
	for (let i = 0; i < 100; i++) {
		const r = await fetch("URL/" + i, {headers: {"X-Connector-Token": "shared"}});
		await r.text();
		console.log(r.status);
	}
})()`},
	}
	for name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Logf("%s is not here", name)
			delete(programs, name)
		}
	}
	if len(programs) == 0 {
		t.Skip("no program in another language is here")
	}
	chance.Test(t, func(t testing.TB) { share(t, programs) })
}

// share has programs share the quota. In windows as short as these a wait may be tested, and a process that is
// stopped comes late.
func share(t testing.TB, programs map[string][]string) {
	const minute = 3 * time.Second
	api, err := apiserver.NewBindbee(float64(time.Minute) / float64(minute))
	require.NoError(t, err)
	p := start(t, "-to", serve(t, api.ServeHTTP).URL)
	var wg sync.WaitGroup
	for name, args := range programs {
		wg.Go(func() {
			args, last := slices.Clone(args), len(args)-1
			args[last] = strings.ReplaceAll(args[last], "URL", p.url+"/employees")
			out, err := exec.CommandContext(t.Context(), name, args...).Output()
			if err != nil || strings.Count(string(out), "200\n") != 100 {
				t.Errorf("%s: %v: %s", name, err, out)
			}
		})
	}
	wg.Wait()
	require.Zero(t, api.Counts().Refused)
	require.Equal(t, 100*len(programs), api.Counts().Admitted)
}
