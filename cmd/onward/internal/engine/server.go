package engine

import (
	"context"
	"path/filepath"

	"onward/internal/embedded"
)

// OpenServer brings up the database server for this process alone: nothing is migrated, and there is no Store.
func OpenServer(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).startDatabase)
}

// JoinServer is OpenServer, but for an embedded server that another Onward runs: then it is that one.
func JoinServer(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).joinDatabase)
}

func (e *Engine) joinDatabase(ctx context.Context) (err error) {
	if e.config.embedded() {
		if e.ownerURL, err = embedded.RunningDSN(filepath.Join(e.config.DataDir, "postgres")); err != nil || e.ownerURL != "" {
			return err
		}
	}
	return e.startDatabase(ctx)
}
