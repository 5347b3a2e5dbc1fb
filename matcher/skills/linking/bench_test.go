package linking_test

import (
	"runtime"
	"testing"
)

// BenchmarkLink links titles, and skill phrases, to the full ESCO in its languages. Run it with the data of design.md there.
func BenchmarkLink(b *testing.B) {
	occupations, skills := fullESCO(b)
	for _, run := range []struct {
		name  string
		build func() linker
		texts []string
	}{
		{"occupations", occupations, []string{"Senior Software Engineer (Java)", "Camareros asalariados, en general", "Conducteur de chariots élévateurs (h/f/x)", "سائق شاحنة", "Teachers, Postsecondary"}},
		{"skills", skills, []string{"project management skills", "maintenance of wind turbines", "work in a dynamic and international team", "Excel", "gestion d'équipe"}},
	} {
		b.Run(run.name, func(b *testing.B) {
			l := run.build()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				l.Link(run.texts[i%len(run.texts)], 10)
				i++
			}
		})
	}
	b.Run("memory", func(b *testing.B) {
		var before, after runtime.MemStats
		for b.Loop() {
			runtime.GC()
			runtime.ReadMemStats(&before)
			o, s := occupations(), skills()
			o.Link("teacher", 1)
			s.Link("teach", 1)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB")
			runtime.KeepAlive(o)
			runtime.KeepAlive(s)
		}
	})
}
