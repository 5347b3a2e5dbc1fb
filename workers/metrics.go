package workers

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"onward"
	"onward/indexer"
)

type metrics struct {
	tasks    *prometheus.HistogramVec
	archived *prometheus.CounterVec
	ready    *prometheus.HistogramVec
	drifted  *prometheus.CounterVec
	told     *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		tasks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onward_task_seconds", Help: "How long tasks run, by task and outcome.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30, 120},
		}, []string{"task", "outcome"}),
		archived: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onward_tasks_archived_total", Help: "Tasks that failed until no try was left, by task; 'onward doctor' shows them.",
		}, []string{"task"}),
		ready: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onward_referral_ready_seconds", Help: "From the acceptance of a referral request to its ranked list, by the index that answered.",
			Buckets: []float64{.005, .01, .02, .05, .1, .25, .5, 1, 2, 5, 15, 60},
		}, []string{"index"}),
		drifted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onward_index_drift_total", Help: "Entries in which the index differed from the database, by kind; all were repaired.",
		}, []string{"kind"}),
	}
	m.told = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "onward_deliveries_total", Help: "Tries to tell someone of an event, by channel and outcome.",
	}, []string{"channel", "outcome"})
	if registerer != nil {
		registerer.MustRegister(m.tasks, m.archived, m.ready, m.drifted, m.told)
	}
	return m
}

func (m *metrics) taskDone(task string, elapsed time.Duration, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.tasks.WithLabelValues(task, outcome).Observe(elapsed.Seconds())
}

func (m *metrics) answered(index string, elapsed time.Duration) {
	m.ready.WithLabelValues(index).Observe(elapsed.Seconds())
}

func (m *metrics) reconciled(drift indexer.Drift) {
	m.drifted.WithLabelValues("missing").Add(float64(drift.Missing))
	m.drifted.WithLabelValues("stale").Add(float64(drift.Stale))
	m.drifted.WithLabelValues("extra").Add(float64(drift.Extra))
	m.drifted.WithLabelValues("ahead").Add(float64(drift.Ahead))
}

func (m *metrics) delivered(channel onward.Channel, sent bool) {
	outcome := "sent"
	if !sent {
		outcome = "failed"
	}
	m.told.WithLabelValues(string(channel), outcome).Inc()
}
