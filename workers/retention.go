package workers

import "context"

// retain lets go the records whose time is over. Announcements come first, so that nobody goes who was not announced; a worker that is killed
// leaves the rest to the next turn.
func (w *Workers) retain(ctx context.Context) error {
	return eachUntilDone(ctx, w.config.Store.AnnounceRetention, w.config.Store.CarryOutErasures, w.config.Store.Retain)
}
