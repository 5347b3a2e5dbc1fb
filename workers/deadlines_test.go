package workers_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"onward/store"
)

// TestEveryStepThatTimeBringsHasAWorker: a step of the store that runs for all organisations and says how much it did is called by some worker.
func TestEveryStepThatTimeBringsHasAWorker(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	step, steps := reflect.TypeFor[func(*store.Store, context.Context) (int, error)](), 0
	for m := range reflect.TypeFor[*store.Store]().Methods() {
		if m.Type != step {
			continue
		}
		steps++
		if !strings.Contains(source.String(), ".Store."+m.Name) {
			t.Errorf("no worker calls %s", m.Name)
		}
	}
	if steps < 12 {
		t.Errorf("only %d steps were found", steps)
	}
}
