package lab

// ServedFile is where the results with real servers are.
const ServedFile = "testdata/servers.json"

// Served is what a real server said, and how forbear fared with it.
type Served struct {
	Server  string  `json:"server"`
	Setup   string  `json:"setup"`
	Allowed float64 `json:"allowed"` // requests a second in the long run
	Sent    int     `json:"sent"`
	Refused int     `json:"refused"`
	Failed  int     `json:"failed"` // calls, while it ran
	Rate    float64 `json:"rate"`   // requests a second that were admitted
	Admits  string  `json:"admits"` // status and fields of an admitted request, a queue each
	Refuses string  `json:"refuses"`
}
