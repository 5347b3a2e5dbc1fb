package onward

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Date is a day of the calendar, without a time zone. The zero Date is "not set".
type Date struct{ days int32 } // from 1 for 0001-01-01

// epoch is 1970-01-01 in the days of a Date.
const epoch = 719_163

// NewDate makes a date; out-of-range days roll over, as in time.Date.
func NewDate(year int, month time.Month, day int) Date {
	return DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// DateOf is the UTC day of a moment.
func DateOf(t time.Time) Date {
	seconds := t.Unix()
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return Date{days: int32(days) + epoch} //nolint:gosec // within five million years
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, Errorf(EInvalid, "a date has the form YYYY-MM-DD, such as 2026-03-31")
	}
	return DateOf(t), nil
}

// IsZero says that no date is set.
func (d Date) IsZero() bool { return d.days == 0 }

// Time is midnight UTC at the start of the day.
func (d Date) Time() time.Time { return time.Unix(int64(d.days-epoch)*86400, 0).UTC() }

// Before compares two days.
func (d Date) Before(other Date) bool { return d.days < other.days }

// After compares two days.
func (d Date) After(other Date) bool { return d.days > other.days }

// AddDays moves by whole days.
func (d Date) AddDays(n int) Date { return Date{days: d.days + int32(n)} } //nolint:gosec // small numbers of days

// DaysUntil counts the days from d to other; negative when other is earlier.
func (d Date) DaysUntil(other Date) int { return int(other.days - d.days) }

// YearsUntil counts completed years from d to other, as an age is counted.
func (d Date) YearsUntil(other Date) int {
	from, to := d.Time(), other.Time()
	years := to.Year() - from.Year()
	if to.Month() < from.Month() || (to.Month() == from.Month() && to.Day() < from.Day()) {
		years--
	}
	return years
}

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText writes YYYY-MM-DD, and nothing for a date that is not set.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD or nothing.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Value stores a date that is not set as NULL.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.String(), nil
}

// Scan reads a date column; NULL is a date that is not set.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
		return nil
	case time.Time:
		*d = DateOf(v)
		return nil
	case []byte:
		return d.UnmarshalText(v)
	case string:
		return d.UnmarshalText([]byte(v))
	}
	return fmt.Errorf("scan date: %T is not a date", src)
}

// MustParseDate is ParseDate for constants.
func MustParseDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}
