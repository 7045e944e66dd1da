package page

import (
	"fmt"

	"github.com/forbear-go/forbear/client"
)

// A Sharing tells how a key's quota is shared with other processes.
type Sharing struct {
	// Active reports whether what this process spends is granted by the fleet, and Away
	// whether the fleet's store did not answer the last call.
	Active bool `json:"active"`
	Away   bool `json:"away,omitempty"`
	// Processes is how many processes share the quota, as far as was heard last.
	Processes int `json:"processes"`
}

// sharingOf returns nil for a transport without a fleet.
func sharingOf(s *client.SharedStatus) *Sharing {
	if s == nil {
		return nil
	}
	return &Sharing{Active: s.Active, Away: s.Away, Processes: s.Members}
}

// String describes the sharing in a few words.
func (s *Sharing) String() string {
	switch {
	case s.Away && s.Active:
		return "store away, spends what it holds"
	case s.Away:
		return "store away, not shared"
	case s.Active && s.Processes == 1:
		return "shared, by this process alone so far"
	case s.Active:
		return fmt.Sprintf("shared by %d processes", s.Processes)
	}
	return "not shared"
}
