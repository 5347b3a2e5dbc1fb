// Package engine puts the parts together: it starts what is embedded, connects to what is not, and runs the API and the
// workers in one process or apart.
package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"onward"
	"onward/api"
	"onward/store/vault"
	"onward/workers/notices"
)

// Config says which parts are real servers and which run embedded.
type Config struct {
	// DatabaseURL is a login of Postgres; empty: a Postgres of our own, as a child process, with its data below DataDir.
	DatabaseURL string
	// OwnerURL is the login that migrates and loads reference data. Empty: DatabaseURL.
	OwnerURL string
	// Notices says how people and systems outside are told of events.
	Notices notices.Config
	// Keys says where the keys are that seal what identifies people: file:PATH or env:VARIABLE, also encrypted by a KMS (see
	// vault.ParseSource). Empty: keys.json in DataDir, which is made where Postgres is embedded.
	Keys string
	// RedisURL is redis://…; empty: Redis in this process.
	RedisURL string
	// ElasticsearchURL is http(s)://…; empty: the memory index; "auto": a development node of our own.
	ElasticsearchURL string
	// IndexPrefix keeps several installations apart on one Elasticsearch.
	IndexPrefix string
	// DataDir is where embedded servers keep their data.
	DataDir string

	// API and Workers say what runs here. Both can run in many processes at once when the servers are real.
	API     bool
	Workers bool
	// RateLimit is how many requests a second a token may make; a user twice that. 0: the default of package api; negative: any number.
	RateLimit int
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []string
	// Contact is whom people can write to about the model.
	Contact string
	// SignIn says how users sign in.
	SignIn api.SignIn
	// Breached is a file of breached passwords; see package password. Empty: none.
	Breached string
	// SkipMigrations leaves the database as it is; it must be up to date.
	SkipMigrations bool

	// Concurrency is how many tasks run at once; 0: 8.
	Concurrency int
	// MaxConns limits the connections to Postgres; 0: 20.
	MaxConns int
	// CheckInterval, RetryDelay, SweepAfter and ReconcileEvery override the pace of the workers; 0: the defaults of
	// package workers.
	CheckInterval  time.Duration
	RetryDelay     time.Duration
	SweepAfter     time.Duration
	ReconcileEvery time.Duration
	// PostgresParameters go to an embedded Postgres.
	PostgresParameters map[string]string

	Logger *slog.Logger
	// Progress is told, in a sentence, of what takes long.
	Progress func(string)
}

// Embedded says whether nothing is shared with other processes: the index then needs no ears of its own.
func (c Config) embedded() bool { return c.DatabaseURL == "" }

// keysAt is where the keys are, as it was written, and whether they are made there.
func (c Config) keysAt() (source string, create bool) {
	if c.Keys != "" {
		return c.Keys, false
	}
	return "file:" + filepath.Join(c.DataDir, "keys.json"), c.embedded()
}

// LoadKeys reads the keys that there are.
func (c Config) LoadKeys() (*vault.Vault, error) {
	source, _ := c.keysAt()
	return keysFrom(source, false)
}

// loadOrMakeKeys makes keys where an embedded Onward has none yet, and says so.
func (c Config) loadOrMakeKeys() (v *vault.Vault, made bool, err error) {
	source, create := c.keysAt()
	if create {
		_, err := os.Stat(c.KeyFile())
		made = errors.Is(err, fs.ErrNotExist)
	}
	v, err = keysFrom(source, create)
	return v, made, err
}

func keysFrom(source string, create bool) (*vault.Vault, error) {
	v, err := vault.Load(source, create)
	if err != nil {
		return nil, fmt.Errorf("keys (ONWARD_KEYS): %w", err)
	}
	return v, nil
}

// KeySource is where the keys are.
func (c Config) KeySource() (vault.Source, error) {
	source, _ := c.keysAt()
	s, err := vault.ParseSource(source)
	if err != nil {
		return s, fmt.Errorf("keys (ONWARD_KEYS): %w", err)
	}
	return s, nil
}

// KeyFile is the file of the keys; empty when they are elsewhere.
func (c Config) KeyFile() string {
	source, err := c.KeySource()
	if err != nil {
		return ""
	}
	return source.File
}

// FromEnvironment reads DATABASE_URL, DATABASE_OWNER_URL, ONWARD_KEYS, REDIS_URL, ELASTICSEARCH_URL, ONWARD_INDEX_PREFIX, ONWARD_DATA_DIR,
// ONWARD_RATE_LIMIT, ONWARD_TRUSTED_PROXIES, ONWARD_CONTACT, ONWARD_BREACHED_PASSWORDS, ONWARD_SECOND_FACTOR, ONWARD_SESSION_IDLE, ONWARD_SESSION_LONGEST, and of notices ONWARD_SMTP_URL, ONWARD_MAIL_FROM, ONWARD_PUBLIC_URL, ONWARD_SMS_URL, ONWARD_SMS_TOKEN and ONWARD_PRIVATE_WEBHOOKS.
func FromEnvironment() (Config, error) {
	config := Config{
		DatabaseURL:      os.Getenv("DATABASE_URL"),
		OwnerURL:         os.Getenv("DATABASE_OWNER_URL"),
		Keys:             os.Getenv("ONWARD_KEYS"),
		RedisURL:         os.Getenv("REDIS_URL"),
		ElasticsearchURL: os.Getenv("ELASTICSEARCH_URL"),
		IndexPrefix:      os.Getenv("ONWARD_INDEX_PREFIX"),
		DataDir:          os.Getenv("ONWARD_DATA_DIR"),
		Contact:          os.Getenv("ONWARD_CONTACT"),
		Notices: notices.Config{
			SMTP: os.Getenv("ONWARD_SMTP_URL"), From: os.Getenv("ONWARD_MAIL_FROM"), PublicURL: os.Getenv("ONWARD_PUBLIC_URL"),
			SMSURL: os.Getenv("ONWARD_SMS_URL"), SMSToken: os.Getenv("ONWARD_SMS_TOKEN"), PrivateNetworks: os.Getenv("ONWARD_PRIVATE_WEBHOOKS") == "allow",
		},
	}
	if text := os.Getenv("ONWARD_RATE_LIMIT"); text != "" {
		rate, err := strconv.Atoi(text)
		if err != nil || rate == 0 {
			return config, onward.Errorf(onward.EInvalid, "ONWARD_RATE_LIMIT is how many requests a second a token may make, such as 50; -1 is any number")
		}
		config.RateLimit = rate
	}
	if err := config.signInFromEnvironment(); err != nil {
		return config, err
	}
	if text := os.Getenv("ONWARD_TRUSTED_PROXIES"); text != "" {
		config.TrustedProxies = strings.Split(strings.ReplaceAll(text, " ", ""), ",")
	}
	if config.DataDir == "" {
		dir, err := DefaultDataDir()
		if err != nil {
			return config, err
		}
		config.DataDir = dir
	}
	return config, nil
}

func (c *Config) signInFromEnvironment() error {
	c.Breached = os.Getenv("ONWARD_BREACHED_PASSWORDS")
	c.SignIn.PublicURL = c.Notices.PublicURL
	if err := c.providerFromEnvironment(); err != nil {
		return err
	}
	switch text := os.Getenv("ONWARD_SECOND_FACTOR"); text {
	case "", "required":
	case "optional":
		c.SignIn.OptionalSecondFactor = true
	default:
		return onward.Errorf(onward.EInvalid, "ONWARD_SECOND_FACTOR is required or optional")
	}
	for name, limit := range map[string]struct {
		into        *time.Duration
		least, most time.Duration
	}{"ONWARD_SESSION_IDLE": {&c.SignIn.Idle, time.Minute, 12 * time.Hour}, "ONWARD_SESSION_LONGEST": {&c.SignIn.Longest, 10 * time.Minute, 30 * 24 * time.Hour}} {
		text := os.Getenv(name)
		if text == "" {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < limit.least || d > limit.most {
			return onward.Errorf(onward.EInvalid, "%s is a time from %s to %s, such as 45m", name, limit.least, limit.most)
		}
		*limit.into = d
	}
	return nil
}

// providerFromEnvironment reads ONWARD_OIDC_ISSUER, ONWARD_OIDC_CLIENT_ID, ONWARD_OIDC_CLIENT_SECRET (or …_FILE), ONWARD_OIDC_BIND_EMAIL and
// ONWARD_OIDC_SECOND_FACTOR.
func (c *Config) providerFromEnvironment() error {
	p := api.Provider{Name: "office", Issuer: os.Getenv("ONWARD_OIDC_ISSUER"), ClientID: os.Getenv("ONWARD_OIDC_CLIENT_ID"), ClientSecret: os.Getenv("ONWARD_OIDC_CLIENT_SECRET")}
	if p.Issuer == "" {
		return nil
	}
	if u, err := url.Parse(p.Issuer); err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return onward.Errorf(onward.EInvalid, "ONWARD_OIDC_ISSUER is the https:// URL of a provider of identities, just as the provider writes it")
	}
	if file := os.Getenv("ONWARD_OIDC_CLIENT_SECRET_FILE"); file != "" {
		secret, err := os.ReadFile(file) //nolint:gosec // G703: the operator names it
		if err != nil {
			return onward.Errorf(onward.EInvalid, "the file that ONWARD_OIDC_CLIENT_SECRET_FILE names can't be read; is it there, and may this user read it?").Because(err)
		}
		p.ClientSecret = strings.TrimSpace(string(secret))
	}
	public, err := url.Parse(c.SignIn.PublicURL)
	if p.ClientID == "" || p.ClientSecret == "" || err != nil || public.Host == "" {
		return onward.Errorf(onward.EInvalid, "ONWARD_OIDC_ISSUER needs ONWARD_OIDC_CLIENT_ID, ONWARD_OIDC_CLIENT_SECRET (or ONWARD_OIDC_CLIENT_SECRET_FILE) and ONWARD_PUBLIC_URL")
	}
	p.RedirectURL = strings.TrimSuffix(c.SignIn.PublicURL, "/") + "/v1/sign-in/oidc/" + p.Name + "/callback"
	switch os.Getenv("ONWARD_OIDC_BIND_EMAIL") {
	case "":
	case "verified":
		p.BindByEmail = true
	default:
		return onward.Errorf(onward.EInvalid, "ONWARD_OIDC_BIND_EMAIL is verified, or not set")
	}
	p.SecondFactor = strings.FieldsFunc(os.Getenv("ONWARD_OIDC_SECOND_FACTOR"), func(r rune) bool { return r == ',' || r == ' ' })
	c.SignIn.Providers = []api.Provider{p}
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// DefaultDataDir is onward below the user's data directory. For root it is below /var/lib: Postgres then runs as
// another user, who can't enter root's home.
func DefaultDataDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/onward", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "onward"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the user's data directory (use --data, or set ONWARD_DATA_DIR): %w", err)
	}
	return filepath.Join(home, ".local", "share", "onward"), nil
}
