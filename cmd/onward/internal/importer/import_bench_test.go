package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"onward/cmd/onward/internal/importer"
)

// One operation is one row, read, checked and written to Postgres.
func BenchmarkOpportunities(b *testing.B) {
	bench := setup(b)
	var file strings.Builder
	file.WriteString("external_id,kind,title_es,capacity,place,essential_skills,description\n")
	for i := range b.N {
		fmt.Fprintf(&file, "x%d,job,Albañil,1,\"Zapopan, Jalisco, MX\",lay bricks|onward/skill/mix-mortar,%s\n", i, strings.Repeat("d", 300))
	}
	b.ResetTimer()
	summary, err := importer.Opportunities(b.Context(), bench.deps, strings.NewReader(file.String()), importer.Options{Publish: true})
	if err != nil || summary.Created != b.N {
		b.Fatalf("%+v, %v", summary, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
