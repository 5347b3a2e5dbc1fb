package store

import "context"

// SessionUsers says who a connection of the store logged in as, and as whom its statements run.
func (s *Store) SessionUsers(ctx context.Context) (users [2]string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT session_user, current_user`).Scan(&users[0], &users[1])
	return users, err
}

// Translate is translate.
var Translate = translate
