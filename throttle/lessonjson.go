package throttle

import "encoding/json"

// UnmarshalJSON reads a lesson field by field. It ignores fields that it does not know or
// cannot read, so that no file that is old or damaged keeps a program from starting.
func (l *Lesson) UnmarshalJSON(text []byte) error {
	fields, err := object(text)
	if err != nil {
		return err
	}
	*l = Lesson{}
	field(fields, "limit", &l.Limit)
	field(fields, "length", &l.Length)
	field(fields, "opens", &l.Opens)
	field(fields, "fixed", &l.Fixed)
	field(fields, "spent", &l.Spent)
	field(fields, "last", &l.Last)
	field(fields, "rate", &l.Rate)
	field(fields, "seen", &l.Seen)
	field(fields, "confirmed", &l.Confirmed)
	field(fields, "clock_min", &l.ClockMin)
	field(fields, "clock_max", &l.ClockMax)
	var windows []json.RawMessage
	field(fields, "windows", &windows)
	for _, text := range windows {
		var w AnnouncedWindow
		if json.Unmarshal(text, &w) == nil {
			l.Windows = append(l.Windows, w)
		}
	}
	return nil
}

// object splits a JSON object into its fields.
func object(text []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	return fields, err
}

// field reads the value of a field, unless it is not there or of another type.
func field[T any](fields map[string]json.RawMessage, name string, to *T) {
	var v T
	if text, ok := fields[name]; ok && json.Unmarshal(text, &v) == nil {
		*to = v
	}
}
