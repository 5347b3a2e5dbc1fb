package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"onward"
	"onward/matcher/outcomes"
	"onward/store"
)

type caseloadInput struct {
	CounsellorID onward.ID `query:"counsellor_id" doc:"Whose caseload; empty: yours, or the whole agency's for a supervisor"`
}

type programmeInput struct {
	By string `query:"by" default:"kind" enum:"kind,region" doc:"Lines of a quarter and a kind of opportunity, or of a region over all time"`
}

type programmeOutput struct{ Body onward.ProgrammeFigures }

type linesOutput[T any] struct {
	Body struct {
		Items []T `json:"items" doc:"The most pressing first, 500 at most"`
	}
}

type retentionOutput struct {
	Body struct {
		CountedAt time.Time                 `json:"counted_at"`
		Items     []onward.RetentionFigures `json:"items" doc:"Of all, then of each kind that has enough placements"`
	}
}

type csvOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) registerMonitoring() {
	registerView(a, "placements", "The placements that you monitor, those that are due first", a.monitored,
		[]string{"placement_id", "returnee_id", "kind", "started_on", "confirmed", "last_seen_on", "check_in_id", "check_in_on", "check_in_due", "ended_on", "end_reason"},
		func(l onward.MonitoredLine) []string {
			return []string{
				l.PlacementID.String(), l.ReturneeID.String(), string(l.Kind), l.StartedOn.String(), strconv.FormatBool(l.Confirmed), dayText(l.LastSeenOn), idText(l.CheckInID), dayText(l.CheckInOn),
				strconv.FormatBool(l.CheckInDue), dayText(l.EndedOn), string(l.EndReason),
			}
		})
	registerView(a, "caseload", "What is to be seen to of your people, the most pressing first", a.caseload,
		[]string{"due", "returnee_id", "referral_id", "subject_id", "status", "by"}, func(l onward.CaseloadLine) []string {
			return []string{l.Due, l.ReturneeID.String(), l.ReferralID.String(), l.SubjectID.String(), string(l.Status), l.By}
		})
	registerView(a, "openings", "Your openings, with what is to be answered", a.openings,
		[]string{"opportunity_id", "title", "status", "capacity", "held", "placed", "to_answer", "overdue", "answer_by", "confirm"}, func(l onward.OpeningLine) []string {
			return []string{
				l.OpportunityID.String(), l.Title.In("es"), string(l.Status), strconv.Itoa(l.Capacity), strconv.Itoa(l.Held), strconv.Itoa(l.Placed), strconv.Itoa(l.ToAnswer),
				strconv.Itoa(l.Overdue), l.AnswerBy, strconv.FormatBool(l.Confirm),
			}
		})
	a.registerFigures()
}

// registerView adds a list as JSON and as CSV.
func registerView[I, T any](a *API, name, summary string, read func(context.Context, *I) ([]T, error), columns []string, row func(T) []string) {
	tags := []string{"Monitoring"}
	register(a, huma.Operation{
		OperationID: "monitor-" + name, Method: http.MethodGet, Path: "/v1/monitoring/" + name, Tags: tags, Summary: summary, Errors: forbids(),
	}, func(ctx context.Context, in *I) (*linesOutput[T], error) {
		list, err := read(ctx, in)
		out := &linesOutput[T]{}
		out.Body.Items = list
		return out, err
	})
	register(a, csvOperation("monitor-"+name+"-csv", "/v1/monitoring/"+name+".csv", summary, tags), func(ctx context.Context, in *I) (*csvOutput, error) {
		list, err := read(ctx, in)
		if err != nil {
			return nil, err
		}
		rows := make([][]string, len(list))
		for i, l := range list {
			rows[i] = row(l)
		}
		return csvOf(name, columns, rows)
	})
}

func csvOperation(id, path, summary string, tags []string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Tags: tags, Summary: summary + ", as CSV", Errors: forbids(),
		Responses: map[string]*huma.Response{"200": {Description: "UTF-8, with a line of column names", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}
}

// formulaSigns begin what some spreadsheet takes for a formula, in the widths of Latin and of East Asian text.
const formulaSigns = "=+-@\t\r\n\x00\uff1d\uff0b\uff0d\uff20"

// csvOf writes a table. Cells that a spreadsheet would take for a formula get an apostrophe before them.
func csvOf(name string, columns []string, rows [][]string) (*csvOutput, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(columns) // a buffer takes everything; Flush has the error
	for _, row := range rows {
		for i, cell := range row {
			if first, _ := utf8.DecodeRuneInString(cell); cell != "" && strings.ContainsRune(formulaSigns, first) {
				row[i] = "'" + cell
			}
		}
		_ = w.Write(row)
	}
	w.Flush()
	return &csvOutput{ContentType: "text/csv; charset=utf-8", Disposition: fmt.Sprintf(`attachment; filename="%s.csv"`, name), Body: b.Bytes()}, w.Error()
}

func dayText(d onward.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func idText(id onward.ID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

func (a *API) monitored(ctx context.Context, _ *struct{}) ([]onward.MonitoredLine, error) {
	return inTx(ctx, a, func(tx *store.Tx) ([]onward.MonitoredLine, error) { return tx.Monitored(ctx) })
}

func (a *API) openings(ctx context.Context, _ *struct{}) ([]onward.OpeningLine, error) {
	return inTx(ctx, a, func(tx *store.Tx) ([]onward.OpeningLine, error) { return tx.Openings(ctx) })
}

func (a *API) caseload(ctx context.Context, in *caseloadInput) ([]onward.CaseloadLine, error) {
	whose := in.CounsellorID
	if actor := actorFrom(ctx); whose.IsZero() && actor.Role == onward.RoleCounsellor {
		whose = actor.UserID
	}
	return inTx(ctx, a, func(tx *store.Tx) ([]onward.CaseloadLine, error) { return tx.CaseloadDue(ctx, whose) })
}

type parityOutput struct{ Body onward.ParityFigures }

func (a *API) registerFigures() {
	tags := []string{"Monitoring"}
	register(a, huma.Operation{
		OperationID: "parity-figures", Method: http.MethodGet, Path: "/v1/monitoring/parity", Tags: tags, Summary: "Whether lists and what became of people differ between groups",
		Description: "For analysts. By sex, age, disability, forced or voluntary return, and rural or urban origin: best scores of lists, shares referred, placed and kept, each beside all others with an " +
			"interval, and the share placed when scores are alike. An alarm says where to look, not why. Floors say what guaranteeing each group its part of scarce places would cost; nothing applies one. " +
			"Counted once a month with the other figures, and protected as they are.",
		Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*parityOutput, error) {
		figures, err := a.store.Figures(ctx, actorFrom(ctx), onward.ID{}, outcomes.Publish)
		return &parityOutput{Body: figures.Parity}, err
	})
	const summary = "What became of the referrals of your organisation"
	register(a, huma.Operation{
		OperationID: "programme-figures", Method: http.MethodGet, Path: "/v1/monitoring/programme", Tags: tags, Summary: summary,
		Description: "Counts from 1 to 4 are withheld, with as many others as it takes so that they can't be worked out: not from both breakdowns, times and retention together either. " +
			"Once there is something to show, it is counted once a month.",
		Errors: forbids(),
	}, func(ctx context.Context, in *programmeInput) (*programmeOutput, error) {
		f, err := a.programme(ctx, in)
		return &programmeOutput{Body: f}, err
	})
	register(a, csvOperation("programme-figures-csv", "/v1/monitoring/programme.csv", summary, tags), func(ctx context.Context, in *programmeInput) (*csvOutput, error) {
		f, err := a.programme(ctx, in)
		if err != nil {
			return nil, err
		}
		var rows [][]string
		for _, l := range append(f.Lines, f.Total) {
			rows = append(rows, programmeRow(f.Combined, l))
		}
		return csvOf("programme", []string{"quarter", f.By, "sent", "waiting", "refused", "dropped", "placed", "lasting", "moved_on", "ended_early", "ended_other", "lost_to_follow_up", "combined"}, rows)
	})
	register(a, huma.Operation{
		OperationID: "retention-figures", Method: http.MethodGet, Path: "/v1/monitoring/retention", Tags: tags, Summary: "How long placements last",
		Description: "Kaplan-Meier estimates with 95 % bands, and beside each how many are lost to follow-up. All are rounded at random to steps of five people, and nothing is shown of " +
			"fewer than twenty placements. Once there is something to show, it is counted once a month.",
		Errors: forbids(),
	}, func(ctx context.Context, _ *struct{}) (*retentionOutput, error) {
		figures, err := a.retention(ctx)
		out := &retentionOutput{}
		out.Body.CountedAt, out.Body.Items = figures.CountedAt, figures.Retention
		return out, err
	})
	register(a, csvOperation("retention-figures-csv", "/v1/monitoring/retention.csv", "How long placements last", tags), func(ctx context.Context, _ *struct{}) (*csvOutput, error) {
		figures, err := a.retention(ctx)
		if err != nil {
			return nil, err
		}
		var rows [][]string
		share := func(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
		for _, f := range figures.Retention {
			for _, p := range f.Points {
				rows = append(rows, []string{f.Of, strconv.Itoa(f.People), strconv.Itoa(p.Day), strconv.Itoa(p.AtRisk), share(p.Retained), share(p.Low), share(p.High), share(p.Lost), share(p.MovedOn)})
			}
		}
		return csvOf("retention", []string{"kind", "people", "day", "at_risk", "retained", "low", "high", "lost_to_follow_up", "moved_on"}, rows)
	})
}

// programmeRow is a line as cells; a count that is not shown says why.
func programmeRow(combined []string, l onward.FunnelLine) []string {
	row := []string{l.Quarter, l.Of}
	for _, c := range []struct {
		name  string
		count *int
	}{
		{"sent", l.Sent},
		{"waiting", l.Waiting},
		{"refused", l.Refused},
		{"dropped", l.Dropped},
		{"placed", l.Placed},
		{"lasting", l.Lasting},
		{"moved_on", l.MovedOn},
		{"ended_early", l.Early},
		{"ended_other", l.Other},
		{"lost_to_follow_up", l.Lost},
		{"combined", l.Combined},
	} {
		switch {
		case c.count != nil:
			row = append(row, strconv.Itoa(*c.count))
		case slices.Contains(combined, c.name):
			row = append(row, "combined")
		case c.name == "combined" && len(combined) == 0:
			row = append(row, "")
		default:
			row = append(row, "withheld")
		}
	}
	return row
}

func (a *API) programme(ctx context.Context, in *programmeInput) (onward.ProgrammeFigures, error) {
	f, err := a.store.Figures(ctx, actorFrom(ctx), onward.ID{}, outcomes.Publish)
	return f.Programme(in.By), err
}

func (a *API) retention(ctx context.Context) (onward.Figures, error) {
	return a.store.Figures(ctx, actorFrom(ctx), onward.ID{}, outcomes.Publish)
}
