package embedded_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"onward/internal/embedded"
)

func TestDataAndPasswordSurviveAStopAndAStart(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := startPostgres(t, embedded.PostgresConfig{DataDir: dir, Logger: silent()})
	mustExecute(t, first.AdminDSN(), "CREATE TABLE kept AS SELECT 1 AS n")
	mustExecute(t, first.AdminDSN(), "DO $$ BEGIN ASSERT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') = 'on'; END $$")
	stopPostgres(t, first)
	if first.Alive() || first.Err() != nil {
		t.Errorf("after Stop: alive %v, error %v", first.Alive(), first.Err())
	}
	second := startPostgres(t, embedded.PostgresConfig{DataDir: dir, Logger: silent()})
	mustExecute(t, second.AdminDSN(), "SELECT n FROM kept")
}

func TestTheServerWantsThePassword(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	postgres := startPostgres(t, config(dir, true))
	if err := execute(postgres.DSN("postgres", "guess", "postgres"), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("with a wrong password: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the password file has mode %v", info.Mode())
	}
}

func TestAPostmasterThatWasKilledComesBack(t *testing.T) {
	t.Parallel()
	postgres := startPostgres(t, config(dataDir(t), true))
	port := postgres.Port()
	mustExecute(t, postgres.AdminDSN(), "CREATE TABLE kept (n int)")
	for n := range 2 {
		killed := postgres.PID()
		mustExecute(t, postgres.AdminDSN(), fmt.Sprintf("INSERT INTO kept VALUES (%d)", n))
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another postmaster runs", func() bool { return postgres.Alive() && postgres.PID() != killed })
		mustExecute(t, postgres.AdminDSN(), fmt.Sprintf("DO $$ BEGIN ASSERT (SELECT count(*) FROM kept) = %d; END $$", n+1))
	}
	if postgres.Port() != port {
		t.Errorf("the port was %d and is %d", port, postgres.Port())
	}
}

func TestAKeeperThatWasKilledIsReplaced(t *testing.T) {
	t.Parallel()
	needLinux(t, "the old server outlives its keeper until the next start")
	postgres := startPostgres(t, config(dataDir(t), true))
	mustExecute(t, postgres.AdminDSN(), "CREATE TABLE kept AS SELECT 1 AS n")
	port, keeper, server := postgres.Port(), postgres.KeeperPID(), postgres.PID()
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another keeper runs another server", func() bool {
		return postgres.Alive() && postgres.KeeperPID() != keeper && postgres.PID() != server
	})
	mustExecute(t, postgres.AdminDSN(), "SELECT n FROM kept")
	if postgres.Port() != port {
		t.Errorf("the port was %d and is %d", port, postgres.Port())
	}
}

func TestTheServerEndsWithAProgramThatWasKilled(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	program, server := startHost(t, os.Args[0], "postgres", dir)
	mustExecute(t, server.Address, "CREATE TABLE kept AS SELECT 1 AS n")
	if err := program.Kill(); err != nil {
		t.Fatal(err)
	}
	// The next one may come before the last one is gone.
	postgres := startPostgres(t, config(dir, false))
	if !gone(server.PID) {
		t.Errorf("process %d still runs", server.PID)
	}
	mustExecute(t, postgres.AdminDSN(), "SELECT n FROM kept")
}

func TestAnEphemeralServerLeavesNothingWhenItsProgramWasKilled(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	program, server := startHost(t, os.Args[0], "ephemeral", dir)
	if err := program.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "server and directory are gone", func() bool {
		_, err := os.Stat(dir)
		return gone(server.PID) && os.IsNotExist(err)
	})
}

func TestASecondProgramOnTheSameDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	_, server := startHost(t, os.Args[0], "postgres", dir)
	_, err := embedded.StartPostgres(t.Context(), config(dir, false))
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use by another Onward (process ") {
		t.Fatalf("the second start: %v", err)
	}
	mustExecute(t, server.Address, "SELECT 1")
}

func TestTwoServersRunAtOnce(t *testing.T) {
	t.Parallel()
	one, two := startPostgres(t, config(dataDir(t), true)), startPostgres(t, config(dataDir(t), true))
	mustExecute(t, one.AdminDSN(), "CREATE TABLE mine (n int)")
	mustExecute(t, two.AdminDSN(), "CREATE TABLE mine (n int)")
}

func TestAServerWithoutItsKeeperIsStoppedByTheNextStart(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	first := startPostgres(t, config(dir, false))
	mustExecute(t, first.AdminDSN(), "CREATE TABLE kept AS SELECT 1 AS n")
	binary, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", first.PID()))
	if err != nil {
		needLinux(t, "the binary isn't found this way")
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "pgdata"))
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	stopPostgres(t, first)

	orphan := exec.Command(binary, "-D", filepath.Join(dir, "pgdata"), "--port="+freePort(t), "--listen_addresses=127.0.0.1", "--unix_socket_directories=")
	orphan.Dir = "/"
	if os.Geteuid() == 0 {
		orphan.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- orphan.Wait() }()
	eventually(t, "the orphan runs", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "pgdata", "postmaster.pid"))
		return strings.Contains(string(text), "ready")
	})

	second := startPostgres(t, config(dir, false))
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the orphan didn't end cleanly: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the orphan still runs beside the new server")
	}
	mustExecute(t, second.AdminDSN(), "SELECT n FROM kept")
}

func TestAStalePidFileWithSomeoneElsesNumberIsNoObstacle(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	stopPostgres(t, startPostgres(t, config(dir, false)))
	// As after a crash in a container, where the same small numbers come again.
	stale := fmt.Sprintf("%d\n%s\n1700000000\n5432\n\n127.0.0.1\n  1234567     12345\nready   \n", os.Getpid(), filepath.Join(dir, "pgdata"))
	if err := os.WriteFile(filepath.Join(dir, "pgdata", "postmaster.pid"), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	mustExecute(t, startPostgres(t, config(dir, false)).AdminDSN(), "SELECT 1")
}

func TestAServerThatCannotRunIsGivenUpWithItsLog(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	postgres := startPostgres(t, config(dir, false))
	if err := os.Remove(filepath.Join(dir, "pgdata", "global", "pg_control")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(postgres.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-postgres.Done():
	case <-time.After(45 * time.Second):
		t.Fatal("it is still tried after 45 s")
	}
	if err := postgres.Err(); err == nil || !strings.Contains(err.Error(), "pg_control") {
		t.Errorf("the error doesn't show what is wrong: %v", err)
	}
}

func TestAnotherVersionsClusterIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cluster := filepath.Join(dir, "pgdata")
	if err := os.Mkdir(cluster, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cluster, "PG_VERSION"), []byte("16\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.StartPostgres(t.Context(), config(dir, false))
	if err == nil || !strings.Contains(err.Error(), "Postgres 16") {
		t.Errorf("the start says: %v", err)
	}
	if version, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION")); err != nil || string(version) != "16\n" {
		t.Errorf("the cluster was touched: %q, %v", version, err)
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := config(dataDir(t), true)
	asked.Port = listener.Addr().(*net.TCPAddr).Port
	_, err = embedded.StartPostgres(t.Context(), asked)
	if err == nil || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("the start says: %v", err)
	}
}

func TestAStartThatIsCalledOffLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := embedded.StartPostgres(ctx, config(dir, false)); err == nil {
		t.Skip("this machine is too fast for this test")
	}
	mustExecute(t, startPostgres(t, config(dir, false)).AdminDSN(), "SELECT 1")
}

func TestADirectoryThatPostgresCannotEnterIsNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only for root does Postgres run as someone else")
	}
	closed := filepath.Join(dataDir(t), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.StartPostgres(t.Context(), config(filepath.Join(closed, "data"), false))
	if err == nil || !strings.Contains(err.Error(), closed+" (mode") {
		t.Errorf("the start says: %v", err)
	}
}

func TestRootGivesNothingElseAway(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := dataDir(t)
	letter := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(letter, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.StartPostgres(t.Context(), config(dir, false)); err == nil || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("the start says: %v", err)
	}
	if info, err := os.Stat(letter); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
		t.Errorf("the letter changed hands: %v", err)
	}
}

func TestAProgramThatOnlyRootMayRunStillHasAKeeper(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only for root does Postgres run as someone else")
	}
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(closed, program, 0o700); err != nil {
		t.Fatal(err)
	}
	_, server := startHost(t, closed, "ephemeral", dataDir(t))
	mustExecute(t, server.Address, "SELECT 1")
}

func TestSecretsStayOutOfTheKeepersEnvironment(t *testing.T) {
	t.Setenv("ONWARD_TEST_SECRET", "hush")
	postgres := startPostgres(t, config(dataDir(t), true))
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", postgres.KeeperPID()))
	if err != nil {
		needLinux(t, "the environment isn't seen this way")
		t.Fatal(err)
	}
	if strings.Contains(string(environment), "hush") {
		t.Error("the keeper has the secret in its environment")
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// BenchmarkStartPostgres measures until the server takes connections: cold makes the cluster, warm finds it. Stopping is
// not in it.
func BenchmarkStartPostgres(b *testing.B) {
	run := func(b *testing.B, warm bool) {
		dir := dataDir(b)
		start := func() *embedded.Postgres {
			postgres, err := embedded.StartPostgres(b.Context(), embedded.PostgresConfig{DataDir: dir, Logger: silent()})
			if err != nil {
				b.Fatal(err)
			}
			return postgres
		}
		if warm {
			stopPostgres(b, start())
		}
		for b.Loop() {
			postgres := start()
			b.StopTimer()
			stopPostgres(b, postgres)
			if !warm {
				if err := os.RemoveAll(dir); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
		}
	}
	b.Run("cold", func(b *testing.B) { run(b, false) })
	b.Run("warm", func(b *testing.B) { run(b, true) })
}

// BenchmarkRestartPostgres measures from the death of the postmaster until another takes connections.
func BenchmarkRestartPostgres(b *testing.B) {
	postgres := startPostgres(b, config(dataDir(b), true))
	for b.Loop() {
		b.StopTimer()
		// The next death comes after the last ones are forgotten: five within a minute would be given up.
		time.Sleep(15 * time.Second)
		killed := postgres.PID()
		b.StartTimer()
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		eventually(b, "another postmaster runs", func() bool { return postgres.Alive() && postgres.PID() != killed })
	}
}

func TestARunningServerIsFoundByItsDirectory(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	if dsn, err := embedded.RunningDSN(dir); err != nil || dsn != "" {
		t.Fatalf("where there is none: %q, %v", dsn, err)
	}
	server := startPostgres(t, config(dir, false))
	dsn, err := embedded.RunningDSN(dir)
	if err != nil || dsn != server.AdminDSN() {
		t.Fatalf("found %v %v, want the address of the server", dsn != "", err)
	}
	stopPostgres(t, server)
	if dsn, err := embedded.RunningDSN(dir); err != nil || dsn != "" {
		t.Errorf("after it has stopped: %q, %v", dsn, err)
	}
}
