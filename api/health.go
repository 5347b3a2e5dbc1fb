package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"onward"
)

type healthOutput struct {
	Body struct {
		Status string `json:"status" example:"ok"`
	}
}

type readyOutput struct {
	Status int
	Body   struct {
		Status string `json:"status" enum:"ready,degraded,not_ready"`
		Parts  []Part `json:"parts"`
	}
}

func (a *API) registerHealth(registry *prometheus.Registry) {
	open := []map[string][]string{}
	register(a, huma.Operation{
		OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Summary: "Whether the process lives", Tags: []string{"Health"}, Security: open,
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		out := &healthOutput{}
		out.Body.Status = "ok"
		return out, nil
	})
	register(a, huma.Operation{
		OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Summary: "Whether requests can be answered, and how each part is",
		Description: "degraded answers 200: a part is away that requests can do without. not_ready answers 503.",
		Tags:        []string{"Health"}, Security: open,
		Responses: map[string]*huma.Response{"503": {Description: "Not ready; the body has the form of the answer for 200"}},
	}, a.ready)
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	register(a, huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Summary: "Metrics for Prometheus",
		Description: "For administrators.", Tags: []string{"Health"}, Errors: forbids(),
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}}},
	}, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		if actorFrom(ctx).Role != onward.RoleAdministrator {
			return nil, onward.Errorf(onward.EForbidden, "metrics are for administrators")
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			c := humagin.Unwrap(ctx)
			metrics.ServeHTTP(c.Writer, c.Request)
		}}, nil
	})
}

func (a *API) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	out := &readyOutput{Status: http.StatusOK}
	out.Body.Status, out.Body.Parts = "ready", []Part{}
	if a.parts != nil {
		out.Body.Parts = append(out.Body.Parts, a.parts(ctx)...)
	}
	for _, part := range out.Body.Parts {
		switch {
		case !part.OK && part.Needed:
			out.Status, out.Body.Status = http.StatusServiceUnavailable, "not_ready"
		case !part.OK && out.Body.Status == "ready":
			out.Body.Status = "degraded"
		}
	}
	return out, nil
}
