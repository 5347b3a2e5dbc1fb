package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"onward"
	"onward/indexer/catalogue"
	"onward/internal/embedded"
	"onward/store"
	"onward/store/vault"
)

// OpenServer brings up the database server for this process alone: nothing is migrated, and there is no Store.
func OpenServer(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).startDatabase)
}

// JoinServer is OpenServer, but for an embedded server that another Onward runs: then it is that one. ENotFound where there is no database.
func JoinServer(ctx context.Context, config Config) (*Engine, error) {
	return start(ctx, config, (*Engine).joinDatabase)
}

func (e *Engine) joinDatabase(ctx context.Context) (err error) {
	if e.config.embedded() {
		dir := filepath.Join(e.config.DataDir, "postgres")
		if _, err := os.Stat(filepath.Join(dir, "pgdata", "PG_VERSION")); errors.Is(err, fs.ErrNotExist) {
			return onward.Errorf(onward.ENotFound, "there is no database in %s; name the directory with --data, or a server with DATABASE_URL", e.config.DataDir)
		}
		if e.ownerURL, err = embedded.RunningDSN(dir); err != nil || e.ownerURL != "" {
			return err
		}
	}
	return e.startDatabase(ctx)
}

// WithVocabulary is a store with the vocabulary that is loaded in its database.
func WithVocabulary(ctx context.Context, s *store.Store) (*store.Store, error) {
	reference, err := readCatalogue(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.WithVocabulary(catalogue.NewLive(reference)), nil
}

// Keys are those that this Onward seals with.
func (e *Engine) Keys() (*vault.Vault, error) {
	if e.keys != nil {
		return e.keys, nil
	}
	return e.config.LoadKeys()
}
