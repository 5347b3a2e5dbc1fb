package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"onward"
)

// program is pg_dump or pg_restore of one version.
type program struct {
	path  string
	major int
}

// find looks for a program of Postgres that is at least as new as a version.
func find(ctx context.Context, name string, least int, of string) (program, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return program{}, onward.Errorf(onward.ENotFound, "%s is not on the PATH; install the client programs of Postgres %d (postgresql-client-%d), or back up with --method copy, which needs none", name, least, least)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	text, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return program{}, fmt.Errorf("run %s: %w", path, err)
	}
	major := majorOf(string(text))
	if major < least {
		return program{}, onward.Errorf(onward.EConflict, "%s is of Postgres %d, and %s of %d; put that of %d or newer on the PATH, or back up with --method copy", path, major, of, least, least)
	}
	return program{path, major}, nil
}

// majorOf reads "pg_dump (PostgreSQL) 17.2 (Debian …)".
func majorOf(version string) int {
	_, after, _ := strings.Cut(version, "(PostgreSQL) ")
	end := strings.IndexFunc(after, func(r rune) bool { return r < '0' || r > '9' })
	major, _ := strconv.Atoi(after[:max(0, end)])
	return major
}

// command runs a program against a database. The password is in its environment, where only its user looks, and never in its arguments.
func (p program) command(ctx context.Context, address, database string, arguments ...string) (*exec.Cmd, *bytes.Buffer, error) {
	u, err := addressOf(address, database)
	if err != nil {
		return nil, nil, err
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	command := exec.CommandContext(ctx, p.path, append([]string{"--no-password", "--dbname=" + u.String()}, arguments...)...)
	command.Env = os.Environ()
	if password != "" {
		command.Env = append(command.Env, "PGPASSWORD="+password)
	}
	command.WaitDelay = 10 * time.Second
	said := &bytes.Buffer{}
	command.Stderr = &limited{to: said, left: 4000}
	return command, said, nil
}

// limited keeps the beginning of what is written to it.
type limited struct {
	to   io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	if n > 0 {
		_, _ = l.to.Write(b[:n])
	}
	return len(b), nil
}

// dump writes what pg_dump says of the snapshot, without what goes apart.
func (s Source) dump(ctx context.Context, from *snapshot, w *writer) error {
	p, err := find(ctx, "pg_dump", from.manifest.Server, "the server")
	if err != nil {
		return err
	}
	var id string
	if err := from.conn.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&id); err != nil {
		return fmt.Errorf("export the snapshot: %w", err)
	}
	return w.part(dumpPart, func(to io.Writer) error {
		arguments := []string{"--format=custom", "--compress=0", "--snapshot=" + id, "--no-owner", "--lock-wait-timeout=" + strconv.FormatInt(lockWait.Milliseconds(), 10)}
		for _, table := range append(leftOut(), identities) {
			arguments = append(arguments, "--exclude-table-data=public."+table)
		}
		command, said, err := p.command(ctx, s.URL, "", arguments...)
		if err != nil {
			return err
		}
		// A writer that fails ends the program, by its closed output.
		out, err := command.StdoutPipe()
		if err != nil {
			return fmt.Errorf("run pg_dump: %w", err)
		}
		if err := command.Start(); err != nil {
			return fmt.Errorf("run pg_dump: %w", err)
		}
		_, copyErr := io.Copy(to, out)
		_ = out.Close()
		if err := command.Wait(); copyErr == nil && err != nil {
			return fmt.Errorf("pg_dump: %w: %s", err, strings.TrimSpace(said.String()))
		}
		return copyErr
	})
}

// restoreDump gives a dump to pg_restore, which makes the schema as well.
func restoreDump(ctx context.Context, p program, address, database string, from io.Reader) error {
	command, said, err := p.command(ctx, address, database, "--no-owner", "--exit-on-error", "--single-transaction")
	if err != nil {
		return err
	}
	command.Stdin = from
	if err := command.Run(); err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return fmt.Errorf("pg_restore: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}
