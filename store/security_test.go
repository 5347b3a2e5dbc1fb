package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"onward"
	"onward/store"
)

// roles are all that an actor can be.
func roles() []onward.Role { return append(onward.Roles(), onward.RoleSystem) }

// actorOf is the user of our organisation in a role, or the system, which belongs to none.
func actorOf(role onward.Role) onward.Actor {
	if role == onward.RoleSystem {
		return onward.System()
	}
	return as(ours, role)
}

// rows of both organisations, one of each kind.
type rowsOf struct {
	draft, open onward.Opportunity
	returnee    onward.Returnee
	request     onward.ReferralRequest
	token       onward.Token
	household   onward.LinkedHousehold
	referral    onward.Referral
	placement   onward.Placement
	alert       onward.Alert
	webhook     onward.Webhook
}

func (b bench) rows(o onward.Organisation) (r rowsOf) {
	b.t.Helper()
	r.draft, r.open = b.opportunity(as(o, onward.RoleEmployer), job(), false), b.opportunity(as(o, onward.RoleEmployer), job(), true)
	r.returnee = b.returnee(as(o, onward.RoleCounsellor), person())
	r.request = b.request(as(o, onward.RoleCounsellor), r.returnee.ID)
	r.household = b.household(as(o, onward.RoleCounsellor), r.returnee.ID, b.returnee(as(o, onward.RoleCounsellor), person()).ID)
	b.in(onward.System(), func(tx *store.Tx) error {
		_, err := tx.CandidatePseudonyms(b.t.Context(), r.draft.ID, []onward.Ref{{ID: r.returnee.ID, Version: r.returnee.Version}})
		return err
	})
	r.token = result(b, as(o, onward.RoleAdministrator), func(tx *store.Tx) (onward.Token, error) {
		_, token, err := tx.CreateToken(b.t.Context(), userOf(o, onward.RoleEmployer), "laptop", nil)
		return token, err
	})
	return r
}

// referred adds a draft of a referral, and a placement.
func (b bench) referred(o onward.Organisation, r rowsOf) rowsOf {
	b.t.Helper()
	filled := b.opportunity(as(o, onward.RoleEmployer), job(), true)
	r.referral = b.refer(as(o, onward.RoleCounsellor), filled)
	accepted := b.must(as(o, onward.RoleCounsellor), b.refer(as(o, onward.RoleCounsellor), filled), onward.ReferralSend, "")
	b.must(as(o, onward.RoleEmployer), accepted, onward.ReferralAccept, "")
	r.placement = b.place(as(o, onward.RoleEmployer), accepted, byEmployer)
	r.alert = result(b, as(o, onward.RoleCounsellor), func(tx *store.Tx) (onward.Alert, error) {
		return tx.RaiseAlert(b.t.Context(), onward.NewAlert{ReferralID: accepted.ID, Kind: onward.AlertOther, Source: onward.AlertByReturnee})
	})
	var err error
	if r.webhook, err = b.store.CreateWebhook(b.t.Context(), as(o, onward.RoleAdministrator), onward.WebhookDetails{URL: "https://example.org/"}); err != nil {
		b.t.Fatal(err)
	}
	if _, err = b.store.TestWebhook(b.t.Context(), as(o, onward.RoleAdministrator), r.webhook.ID); err != nil {
		b.t.Fatal(err)
	}
	b.in(onward.System(), func(tx *store.Tx) error {
		_, err := tx.RecordChecks(b.t.Context(), onward.VetOrganisation, o.ID, 0, yes(onward.CheckNoFees))
		return err
	})
	return r
}

// application is a connection as the store's, for statements that the store would never run.
func (b bench) application() *sqlx.DB {
	b.t.Helper()
	db, err := sqlx.ConnectContext(b.t.Context(), "postgres", b.AppDSN+"&role=onward_app")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	return db
}

// raw runs one statement of an actor and says how many rows it touched, or "refused" when the database refuses it.
// Nothing is kept.
func raw(t testing.TB, db *sqlx.DB, actor onward.Actor, query string, args ...any) string {
	t.Helper()
	tx, err := db.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	organisation := ""
	if !actor.OrganisationID.IsZero() {
		organisation = actor.OrganisationID.String()
	}
	if actor.Role != "" {
		if _, err := tx.Exec(`SELECT set_config('onward.role', $1, true), set_config('onward.organisation', $2, true)`, string(actor.Role), organisation); err != nil {
			t.Fatal(err)
		}
	}
	res, err := tx.Exec(query, args...)
	if e, ok := err.(*pq.Error); ok && e.Code == "42501" { //nolint:errorlint // as the driver returns it
		return "refused"
	} else if err != nil {
		return err.Error()
	}
	n, _ := res.RowsAffected()
	return fmt.Sprint(n)
}

// TestRowLevelSecurityHoldsForEveryTable tries each role on the rows of its own and of the other organisation, with raw
// SQL: what the methods of the store check above that is not counted on.
func TestRowLevelSecurityHoldsForEveryTable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, other := b.referred(ours, b.rows(ours)), b.referred(theirs, b.rows(theirs))
	b.signedIn(ours)
	b.signedIn(theirs)
	for _, o := range []onward.Organisation{ours, theirs} {
		b.identified(o)
	}
	db := b.application()

	const all = "counsellor supervisor employer partner analyst administrator system"
	const people = "counsellor supervisor system"
	const posting = "employer supervisor administrator system"
	const manage = "administrator system"
	insertUser := `INSERT INTO users (id, organisation_id, name, email, role) VALUES (gen_random_uuid(), $1, 'New', 'new@example.org', 'analyst')`
	insertToken := `INSERT INTO api_tokens (id, organisation_id, user_id, name, secret_hash) VALUES (gen_random_uuid(), $1, $2, 'n', '\x00')`
	insertOpportunity := `INSERT INTO opportunities (id, organisation_id, status, kind, capacity, details) VALUES (gen_random_uuid(), $1, 'draft', 'job', 1, '{}')`
	insertReturnee := `INSERT INTO returnees (id, organisation_id, country, details) VALUES (gen_random_uuid(), $1, 'MX', '{}')`
	insertRequest := `INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, options) VALUES (gen_random_uuid(), $1, $2, $3, '{}')`

	cases := []struct {
		name     string
		query    string
		own      []any
		allowed  string // the roles for which it works on the own organisation's
		other    []any
		allowed2 string // and on the other's
		want     string // rows touched when it works; "" is 1
		never    string // what the others get; "" is 0, as if it weren't there
	}{
		{"read an organisation", `SELECT id FROM organisations WHERE id = $1`, []any{ours.ID}, all, []any{theirs.ID}, all, "", ""},
		{"add an organisation", `INSERT INTO organisations (id, slug, name, kind, country) VALUES ($1, 'n', 'n', 'agency', 'MX')`, []any{onward.NewID()}, "system", []any{onward.NewID()}, "system", "", "refused"},
		{"change an organisation", `UPDATE organisations SET name = 'x' WHERE id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"read users", `SELECT id FROM users WHERE organisation_id = $1`, []any{ours.ID}, all, []any{theirs.ID}, "system", "6", ""},
		{"add a user", insertUser, []any{ours.ID}, manage, []any{theirs.ID}, "system", "", "refused"},
		{"change users", `UPDATE users SET name = 'x' WHERE organisation_id = $1`, []any{ours.ID}, manage, []any{theirs.ID}, "system", "6", ""},
		{"read tokens", `SELECT id FROM api_tokens WHERE id = $1`, []any{own.token.ID}, manage, []any{other.token.ID}, "system", "", ""},
		{"add a token", insertToken, []any{ours.ID, employer.UserID}, manage, []any{theirs.ID, stranger.UserID}, "system", "", "refused"},
		{"revoke a token", `UPDATE api_tokens SET revoked_at = now() WHERE id = $1`, []any{own.token.ID}, manage, []any{other.token.ID}, "system", "", ""},
		{"read a draft", `SELECT id FROM opportunities WHERE id = $1`, []any{own.draft.ID}, all, []any{other.draft.ID}, "system", "", ""},
		{"read what is open", `SELECT id FROM opportunities WHERE id = $1`, []any{own.open.ID}, all, []any{other.open.ID}, "counsellor supervisor partner analyst administrator system", "", ""},
		{"post an opportunity", insertOpportunity, []any{ours.ID}, posting, []any{theirs.ID}, "system", "", "refused"},
		{"change an opportunity", `UPDATE opportunities SET capacity = 9, version = version + 1 WHERE id = $1`, []any{own.open.ID}, posting, []any{other.open.ID}, "system", "", ""},
		{"read versions", `SELECT version FROM opportunity_versions WHERE opportunity_id = $1`, []any{own.open.ID}, all, []any{other.open.ID}, "system", "", ""},
		{"read a returnee", `SELECT id FROM returnees WHERE id = $1`, []any{own.returnee.ID}, people, []any{other.returnee.ID}, "system", "", ""},
		{"register a returnee", insertReturnee, []any{ours.ID}, people, []any{theirs.ID}, "system", "", "refused"},
		{"change a returnee", `UPDATE returnees SET country = 'GT' WHERE id = $1`, []any{own.returnee.ID}, people, []any{other.returnee.ID}, "system", "", ""},
		{"read an identity", `SELECT identity FROM returnee_identities WHERE returnee_id = $1`, []any{own.returnee.ID}, "counsellor supervisor", []any{other.returnee.ID}, "", "", ""},
		{"change an identity", `UPDATE returnee_identities SET identity = '{}' WHERE returnee_id = $1`, []any{own.returnee.ID}, "counsellor supervisor", []any{other.returnee.ID}, "", "", ""},
		{"find by a token", `SELECT returnee_id FROM identity_tokens WHERE returnee_id = $1 AND kind = 'phone'`, []any{own.returnee.ID}, "counsellor supervisor", []any{other.returnee.ID}, "", "", ""},
		{"read a request", `SELECT id FROM referral_requests WHERE id = $1`, []any{own.request.ID}, people, []any{other.request.ID}, "system", "", ""},
		{"ask for referrals", insertRequest, []any{ours.ID, own.returnee.ID, counsellor.UserID}, people, []any{theirs.ID, other.returnee.ID, stranger.UserID}, "system", "", "refused"},
		{"change a request", `UPDATE referral_requests SET refusal = 'x' WHERE id = $1`, []any{own.request.ID}, people, []any{other.request.ID}, "system", "", ""},
		{"name a candidate", `INSERT INTO candidate_pseudonyms (opportunity_id, returnee_id) VALUES ($1, $2)`, []any{own.open.ID, own.returnee.ID}, "system", []any{other.open.ID, other.returnee.ID}, "system", "", "refused"},
		{"read whom a pseudonym names", `SELECT pseudonym FROM candidate_pseudonyms WHERE returnee_id = $1`, []any{own.returnee.ID}, "system", []any{other.returnee.ID}, "system", "", ""},
		{"note a form", `INSERT INTO candidate_forms (opportunity_id, form) VALUES ($1, '\x00')`, []any{own.open.ID}, "system", []any{other.open.ID}, "system", "", "refused"},
		{"read a household", `SELECT id FROM households WHERE id = $1`, []any{own.household.ID}, "counsellor supervisor", []any{other.household.ID}, "", "", ""},
		{"add a household", `INSERT INTO households (id, organisation_id, country) VALUES (gen_random_uuid(), $1, 'MX')`, []any{ours.ID}, "counsellor supervisor", []any{theirs.ID}, "", "", "refused"},
		{"read adults", `SELECT returnee_id FROM household_adults WHERE household_id = $1`, []any{own.household.ID}, "counsellor supervisor", []any{other.household.ID}, "", "2", ""},
		{"unlink adults", `DELETE FROM household_adults WHERE household_id = $1`, []any{own.household.ID}, "counsellor supervisor", []any{other.household.ID}, "", "2", ""},
		{"delete a household", `DELETE FROM households WHERE id = $1`, []any{own.household.ID}, "counsellor supervisor", []any{other.household.ID}, "", "", ""},
		{"read a draft of a referral", `SELECT id FROM referrals WHERE id = $1`, []any{own.referral.ID}, people, []any{other.referral.ID}, "system", "", ""},
		{"read a referral that was sent", `SELECT id FROM referrals WHERE id = $1`, []any{own.placement.ReferralID}, "counsellor supervisor employer administrator system", []any{other.placement.ReferralID}, "system", "", ""},
		{"change a draft of a referral", `UPDATE referrals SET told = 'sealed:x' WHERE id = $1`, []any{own.referral.ID}, people, []any{other.referral.ID}, "system", "", ""},
		{"read a decision", `SELECT referral_id FROM referral_decisions WHERE referral_id = $1`, []any{own.referral.ID}, people, []any{other.referral.ID}, "system", "", ""},
		{"change a decision", `UPDATE referral_decisions SET body = '{}' WHERE referral_id = $1`, []any{own.referral.ID}, "", []any{other.referral.ID}, "", "", "refused"},
		{"take a decision away", `DELETE FROM referral_decisions WHERE referral_id = $1`, []any{own.referral.ID}, "", []any{other.referral.ID}, "", "", "refused"},
		{"count groups without being the system", `SELECT people FROM parity_counts($1, '2026-03-10') LIMIT 1`, []any{ours.ID}, "", []any{theirs.ID}, "", "", ""},
		{"read what somebody said for parity", `SELECT sex FROM parity_attributes WHERE returnee_id = $1`, []any{own.returnee.ID}, "counsellor supervisor", []any{other.returnee.ID}, "", "", ""},
		{"write what somebody said for parity", `UPDATE parity_attributes SET sex = 'male' WHERE returnee_id = $1`, []any{own.returnee.ID}, "counsellor supervisor", []any{other.returnee.ID}, "", "", ""},
		{"read a history", `SELECT id FROM referral_steps WHERE referral_id = $1`, []any{own.referral.ID}, people, []any{other.referral.ID}, "system", "", ""},
		{"change a history", `UPDATE referral_steps SET note = 'x'`, nil, "", nil, "", "", "refused"},
		{"read who was erased", `SELECT returnee_id FROM erasures`, nil, "", nil, "", "", "refused"},
		{"read which database it is", `SELECT id FROM installation`, nil, "", nil, "", "", "refused"},
		{"become another database", `UPDATE installation SET id = gen_random_uuid()`, nil, "", nil, "", "", "refused"},
		{"read a placement", `SELECT id FROM placements WHERE id = $1`, []any{own.placement.ID}, "counsellor supervisor employer administrator system", []any{other.placement.ID}, "system", "", ""},
		{"read events", `SELECT id FROM events WHERE organisation_id = $1 LIMIT 1`, []any{ours.ID}, all, []any{theirs.ID}, "system", "", ""},
		{"change events", `UPDATE events SET status = 'x'`, nil, "", nil, "", "", "refused"},
		{"read an alert", `SELECT id FROM alerts WHERE id = $1`, []any{own.alert.ID}, people, []any{other.alert.ID}, "system", "", ""},
		{"change an alert", `UPDATE alerts SET owner_id = NULL WHERE id = $1`, []any{own.alert.ID}, people, []any{other.alert.ID}, "system", "", ""},
		{"read a trail", `SELECT id FROM alert_entries WHERE alert_id = $1`, []any{own.alert.ID}, people, []any{other.alert.ID}, "system", "", ""},
		{"change a trail", `UPDATE alert_entries SET note = 'x'`, nil, "", nil, "", "", "refused"},
		{"read what was vetted", `SELECT subject_id FROM vettings WHERE subject_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, people, "", ""},
		{"read evidence", `SELECT code FROM vetting_checks WHERE subject_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, people, "", ""},
		{"change evidence", `UPDATE vetting_checks SET evidence = 'x' WHERE subject_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "supervisor system", "", ""},
		{"change history of vetting", `DELETE FROM vetting_history`, nil, "", nil, "", "", "refused"},
		{"read a webhook", `SELECT url FROM webhooks WHERE id = $1`, []any{own.webhook.ID}, manage, []any{other.webhook.ID}, "system", "", ""},
		{"read a secret", `SELECT secret FROM webhook_secrets WHERE webhook_id = $1`, []any{own.webhook.ID}, "system", []any{other.webhook.ID}, "system", "", ""},
		{"read deliveries", `SELECT id FROM deliveries WHERE webhook_id = $1`, []any{own.webhook.ID}, manage, []any{other.webhook.ID}, "system", "", ""},
		{"read a key", `SELECT secret FROM own_keys WHERE name = 'identity-tokens'`, nil, "system", nil, "system", "", ""},
		{"read fits of others", `SELECT returnee_id FROM only_good_fits`, nil, "", nil, "", "", ""},
		{"read what was said of consents", `SELECT DISTINCT returnee_id FROM consent_records WHERE returnee_id = $1`, []any{own.returnee.ID}, people, []any{other.returnee.ID}, "system", "", ""},
		{"change what was said of consents", `UPDATE consent_records SET what = 'given'`, nil, "", nil, "", "", "refused"},
		{"change a certificate", `UPDATE withdrawals SET cause = 'expired'`, nil, "", nil, "", "", "refused"},
		{"read figures", `SELECT body FROM figures`, nil, "", nil, "", "", ""},
		{"read the audit", `SELECT seq FROM audit WHERE organisation_id = $1 AND seq = 1`, []any{ours.ID}, "supervisor administrator system", []any{theirs.ID}, "system", "", ""},
		{"choose for how long", `INSERT INTO retention_choices (organisation_id, kind, days) VALUES ($1, 'referral', 200)`, []any{ours.ID}, "supervisor administrator system", []any{theirs.ID}, "system", "", "refused"},
		{"keep a person longer", `INSERT INTO retention_extensions (organisation_id, returnee_id, until, reason, at) VALUES ($1, $2, now(), '', now())`, []any{ours.ID, own.returnee.ID}, people, []any{theirs.ID, other.returnee.ID}, "system", "", "refused"},
		{"place a hold", `INSERT INTO legal_holds (id, organisation_id, returnee_id, reason, review_on, placed_at) VALUES (gen_random_uuid(), $1, $2, '', now(), now())`, []any{ours.ID, own.returnee.ID}, "supervisor administrator system", []any{theirs.ID, other.returnee.ID}, "system", "", "refused"},
		{"delete a hold", `DELETE FROM legal_holds`, nil, "", nil, "", "", "refused"},
		{"note an erasure", `INSERT INTO erasure_requests (organisation_id, returnee_id, asked_at) VALUES ($1, $2, now())`, []any{ours.ID, own.returnee.ID}, "supervisor system", []any{theirs.ID, other.returnee.ID}, "system", "", "refused"},
		{"decide whom counsellors see", `INSERT INTO caseload_rules (organisation_id, own_only) VALUES ($1, false)`, []any{ours.ID}, "supervisor administrator system", []any{theirs.ID}, "system", "", "refused"},
		{"open access in an emergency", `INSERT INTO emergency_accesses (id, organisation_id, returnee_id, user_id, reason, opened_at, until) VALUES (gen_random_uuid(), $1, $2, $3, '', now(), now())`, []any{ours.ID, own.returnee.ID, counsellor.UserID}, "", []any{theirs.ID, other.returnee.ID, stranger.UserID}, "", "", "refused"},
		{"list searches", `SELECT FROM caseload_searches`, nil, "", nil, "", "", ""},
		{"keep a change", `INSERT INTO returnee_changes (id, organisation_id, returnee_id, version, fields, held, reason, at) VALUES (gen_random_uuid(), $1, $2, 9, '{}', '', '', now())`, []any{ours.ID, own.returnee.ID}, "counsellor supervisor", []any{theirs.ID, other.returnee.ID}, "", "", "refused"},
		{"change what was kept of a change", `UPDATE returnee_changes SET reason = ''`, nil, "", nil, "", "", "refused"},
		{"let records go", `SELECT retain('residence', $1, now(), current_date, $2, 1)`, []any{ours.ID, own.returnee.ID}, "system", []any{theirs.ID, other.returnee.ID}, "system", "", "refused"},
		{"list what is due", `SELECT FROM retention_due('returnee', $1, now() + interval '1 day', current_date, $2, 1)`, []any{ours.ID, own.request.ReturneeID}, people, []any{theirs.ID, other.request.ReturneeID}, "system", "", ""},
		{"read a password hash", `SELECT password_hash FROM credentials WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"set a password", `UPDATE credentials SET password_hash = 'x' WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"delete credentials", `DELETE FROM credentials`, nil, "", nil, "", "", "refused"},
		{"read a second factor", `SELECT secret FROM second_factors WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"delete a second factor", `DELETE FROM second_factors WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"read recovery codes", `SELECT hash FROM recovery_codes WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "10", ""},
		{"read an invitation", `SELECT id FROM invitations WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"read whom a provider means", `SELECT subject FROM external_identities WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"rebind whom a provider means", `UPDATE external_identities SET user_id = user_id`, nil, "", nil, "", "", "refused"},
		{"read a session", `SELECT token_hash FROM sessions WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"complete a session", `UPDATE sessions SET stage = 'complete' WHERE organisation_id = $1`, []any{ours.ID}, "system", []any{theirs.ID}, "system", "", ""},
		{"promise work", `INSERT INTO outbox (kind, payload) VALUES ('x', '[]')`, nil, all, nil, all, "", "refused"},
		{"read promises", `SELECT id FROM outbox LIMIT 1`, nil, "system", nil, "system", "", ""},
		{"mark a promise", `UPDATE outbox SET dispatched_at = now() WHERE id = (SELECT min(id) FROM outbox)`, nil, "system", nil, "system", "", ""},
		{"delete a promise", `DELETE FROM outbox WHERE id = (SELECT min(id) FROM outbox)`, nil, "system", nil, "system", "", ""},
	}
	for _, c := range cases {
		c.want, c.never = withDefault(c.want, "1"), withDefault(c.never, "0")
		for _, role := range roles() {
			for _, side := range []struct {
				name    string
				args    []any
				allowed string
			}{{"our", c.own, c.allowed}, {"the other organisation's", c.other, c.allowed2}} {
				want := c.never
				if slices.Contains(strings.Fields(side.allowed), string(role)) {
					want = c.want
				}
				if got := raw(t, db, actorOf(role), c.query, side.args...); got != want {
					t.Errorf("%s: %s, %s rows: %s, want %s", role, c.name, side.name, got, want)
				}
			}
		}
		if got := raw(t, db, onward.Actor{}, c.query, c.own...); got != c.never {
			t.Errorf("no one: %s: %s, want %s", c.name, got, c.never)
		}
	}
}

func withDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestEveryTableWithRowsOfAnOrganisationIsUnderRowLevelSecurity(t *testing.T) {
	t.Parallel()
	var open []string
	if err := setup(t).admin().SelectContext(t.Context(), &open, `SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND NOT c.relrowsecurity
		AND c.relnamespace = 'public'::regnamespace ORDER BY 1`); err != nil {
		t.Fatal(err)
	}
	want := []string{"concept_labels", "concept_relations", "concepts", "destination_coefficients", "goose_db_version", "places", "reference_releases"}
	if !slices.Equal(open, want) {
		t.Errorf("not under row-level security: %v, want only reference data: %v", open, want)
	}
}

func TestTheApplicationCanNotLiftItsOwnLimits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own := b.rows(ours)
	db := b.application()
	for _, query := range []string{
		`ALTER TABLE returnees DISABLE ROW LEVEL SECURITY`,
		`ALTER TABLE returnees NO FORCE ROW LEVEL SECURITY`,
		`DROP POLICY returnees_all ON returnees`,
		`CREATE POLICY everything ON returnees USING (true)`,
		`ALTER ROLE onward_app BYPASSRLS`,
		`ALTER ROLE onward_app SUPERUSER`,
		`CREATE ROLE another LOGIN`,
		`SET ROLE postgres`,
		`SET SESSION AUTHORIZATION postgres`,
		`CREATE OR REPLACE FUNCTION onward_role() RETURNS text LANGUAGE sql AS $$ SELECT 'system' $$`,
		`CREATE TABLE mine (id int)`,
		`DROP TABLE outbox`,
		`TRUNCATE returnees CASCADE`,
		`UPDATE opportunity_versions SET body = '{}'`,
		`DELETE FROM opportunity_versions`,
		`INSERT INTO opportunity_versions VALUES (gen_random_uuid(), 1, '` + ours.ID.String() + `', '{}')`,
		`DELETE FROM opportunities`, `DELETE FROM returnees`, `DELETE FROM returnee_identities`, `DELETE FROM referral_requests`,
		`DELETE FROM users`, `DELETE FROM api_tokens`, `DELETE FROM organisations`,
		`INSERT INTO places (id, name, country, lat, lon) VALUES (1, 'x', 'MX', 0, 0)`,
		`UPDATE concepts SET code = ''`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`,
		`COPY returnees TO PROGRAM 'cat'`,
		`ALTER TABLE opportunities DISABLE TRIGGER ALL`,
		`SET session_replication_role = replica`,
	} {
		if got := raw(t, db, onward.System(), query); got != "refused" {
			t.Errorf("%s: %s, want it refused", query, got)
		}
	}
	var n int
	if err := b.admin().GetContext(t.Context(), &n, `SELECT count(*) FROM opportunity_versions WHERE opportunity_id = $1`, own.open.ID); err != nil || n != 1 {
		t.Errorf("versions kept: %d, %v; want 1", n, err)
	}
	var owned []string
	if err := b.admin().SelectContext(t.Context(), &owned, `SELECT relname FROM pg_class WHERE relowner = 'onward_app'::regrole
		UNION ALL SELECT proname FROM pg_proc WHERE proowner = 'onward_app'::regrole`); err != nil || len(owned) != 0 {
		t.Errorf("the application owns %v (%v), want nothing", owned, err)
	}
}

// TestRowsCanNotPointAcrossOrganisations: checks of foreign keys look past row-level security, so the keys themselves
// hold the organisation.
func TestRowsCanNotPointAcrossOrganisations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, other := b.rows(ours), b.rows(theirs)
	db := b.application()
	for name, got := range map[string]string{
		"a token for their user": raw(t, db, as(ours, onward.RoleAdministrator), `INSERT INTO api_tokens (id, organisation_id, user_id, name, secret_hash) VALUES (gen_random_uuid(), $1, $2, 'n', '\x00')`, ours.ID, stranger.UserID),
		"a request for their returnee": raw(t, db, counsellor, `INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, options) VALUES (gen_random_uuid(), $1, $2, $3, '{}')`,
			ours.ID, other.returnee.ID, counsellor.UserID),
		"a request in the name of their user": raw(t, db, counsellor, `INSERT INTO referral_requests (id, organisation_id, returnee_id, requested_by, options) VALUES (gen_random_uuid(), $1, $2, $3, '{}')`,
			ours.ID, own.returnee.ID, stranger.UserID),
		"moving a returnee to them": raw(t, db, counsellor, `UPDATE returnees SET organisation_id = $2 WHERE id = $1`, own.returnee.ID, theirs.ID),
	} {
		if got != "refused" && !strings.Contains(got, "foreign key") {
			t.Errorf("%s: %s, want it refused", name, got)
		}
	}
	_, err := func() (string, error) {
		var secret string
		return secret, b.try(as(ours, onward.RoleAdministrator), func(tx *store.Tx) error {
			forged := userOf(theirs, onward.RoleSupervisor)
			forged.OrganisationID = ours.ID
			_, _, err := tx.CreateToken(t.Context(), forged, "forged", nil)
			return err
		})
	}()
	wantCode(t, err, onward.ENotFound)
}

// TestAnotherOrganisationsIDsAreAsIfTheyDidNotExist: not found, never forbidden, which would tell that they exist.
func TestAnotherOrganisationsIDsAreAsIfTheyDidNotExist(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.rows(theirs)
	ctx := t.Context()
	supervisor := as(ours, onward.RoleSupervisor)
	for name, try := range map[string]func(*store.Tx) error{
		"read a draft":         func(tx *store.Tx) error { _, err := tx.Opportunity(ctx, other.draft.ID); return err },
		"update what is open":  func(tx *store.Tx) error { _, err := tx.UpdateOpportunity(ctx, other.open.ID, 1, job()); return err },
		"update with no match": func(tx *store.Tx) error { _, err := tx.UpdateOpportunity(ctx, other.open.ID, 7, job()); return err },
		"publish a draft": func(tx *store.Tx) error {
			_, err := tx.ChangeOpportunity(ctx, other.draft.ID, 0, onward.EventPublish, "")
			return err
		},
		"close what is open": func(tx *store.Tx) error {
			_, err := tx.ChangeOpportunity(ctx, other.open.ID, 0, onward.EventClose, "")
			return err
		},
		"read a returnee":   func(tx *store.Tx) error { _, err := tx.Returnee(ctx, other.returnee.ID); return err },
		"update a returnee": func(tx *store.Tx) error { _, err := tx.UpdateReturnee(ctx, other.returnee.ID, 1, person()); return err },
		"ask for referrals": func(tx *store.Tx) error {
			_, _, err := tx.CreateReferralRequest(ctx, other.returnee.ID, onward.RequestOptions{}, "")
			return err
		},
		"read a request": func(tx *store.Tx) error { _, err := tx.ReferralRequest(ctx, other.request.ID); return err },
		"list requests": func(tx *store.Tx) error {
			_, err := tx.ReferralRequests(ctx, other.returnee.ID, store.Cursor{})
			return err
		},
		"revoke a token": func(tx *store.Tx) error { return tx.RevokeToken(ctx, other.token.ID) },
		"find a user": func(tx *store.Tx) error {
			_, err := tx.UserByEmail(ctx, userOf(theirs, onward.RoleEmployer).Email)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, b.try(supervisor, try), onward.ENotFound)
		})
	}
	err := b.try(employer, func(tx *store.Tx) error { _, err := tx.Opportunity(ctx, other.open.ID); return err })
	wantCode(t, err, onward.ENotFound)
	wantCode(t, b.try(employer, func(tx *store.Tx) error { _, err := tx.Returnee(ctx, b.returnee(counsellor, person()).ID); return err }), onward.ENotFound)
}

func TestListsShowWhatTheRoleMaySee(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, other := b.rows(ours), b.rows(theirs)
	for role, want := range map[onward.Role][]onward.ID{
		onward.RoleEmployer:   {own.open.ID, own.draft.ID},
		onward.RoleCounsellor: {other.open.ID, own.open.ID, own.draft.ID},
		onward.RolePartner:    {other.open.ID, own.open.ID, own.draft.ID},
		onward.RoleSystem:     {other.open.ID, other.draft.ID, own.open.ID, own.draft.ID},
	} {
		page := result(b, actorOf(role), func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
			return tx.Opportunities(t.Context(), store.OpportunityFilter{}, store.Cursor{})
		})
		var got []onward.ID
		for _, o := range page.Items {
			got = append(got, o.ID)
		}
		slices.SortFunc(got, func(a, b onward.ID) int { return strings.Compare(a.String(), b.String()) })
		slices.SortFunc(want, func(a, b onward.ID) int { return strings.Compare(a.String(), b.String()) })
		if !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", role, got, want)
		}
	}
	page := result(b, employer, func(tx *store.Tx) (store.Page[onward.Opportunity], error) {
		return tx.Opportunities(t.Context(), store.OpportunityFilter{OrganisationID: theirs.ID}, store.Cursor{})
	})
	if len(page.Items) != 0 {
		t.Errorf("an employer who asks for another organisation's openings sees %d, want none", len(page.Items))
	}
	people := result(b, counsellor, func(tx *store.Tx) (store.Page[onward.Returnee], error) {
		return tx.Returnees(t.Context(), store.ReturneeFilter{}, store.Cursor{})
	})
	mine := slices.ContainsFunc(people.Items, func(r onward.Returnee) bool { return r.ID == own.returnee.ID })
	if !mine || slices.ContainsFunc(people.Items, func(r onward.Returnee) bool { return r.OrganisationID != ours.ID }) {
		t.Errorf("the caseload has %d people, want our returnee and nobody of another organisation", len(people.Items))
	}
	for _, role := range []onward.Role{onward.RoleEmployer, onward.RolePartner, onward.RoleAnalyst, onward.RoleAdministrator} {
		err := b.try(as(ours, role), func(tx *store.Tx) error {
			_, err := tx.Returnees(t.Context(), store.ReturneeFilter{}, store.Cursor{})
			return err
		})
		wantCode(t, err, onward.EForbidden)
	}
}

func TestTheSystemReadsProfilesWithoutIdentity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own := b.rows(ours)
	r := result(b, onward.System(), func(tx *store.Tx) (onward.Returnee, error) { return tx.Returnee(t.Context(), own.returnee.ID) })
	if r.Identity != (onward.Identity{}) || len(r.Skills) != 1 {
		t.Errorf("the system reads %+v, want the profile without identity", r)
	}
	var stored string
	if err := b.admin().GetContext(t.Context(), &stored, `SELECT details::text FROM returnees WHERE id = $1`, own.returnee.ID); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"Given", "Family", "female", "+52"} {
		if strings.Contains(stored, value) {
			t.Errorf("the profile %s holds %q of the identity", stored, value)
		}
	}
}

func TestOnlyTheRolesThatPostMayPost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, role := range roles() {
		err := b.try(actorOf(role), func(tx *store.Tx) error {
			_, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job(), OrganisationID: ours.ID})
			return err
		})
		want := onward.EForbidden
		if actorOf(role).PostsOpportunities() {
			want = ""
		}
		wantCode(t, err, want)
	}
	wantCode(t, b.try(employer, func(tx *store.Tx) error {
		_, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job(), OrganisationID: theirs.ID})
		return err
	}), onward.EForbidden)
	wantCode(t, b.try(onward.System(), func(tx *store.Tx) error {
		_, err := tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: job()})
		return err
	}), onward.EInvalid)
}

func TestAnOrganisationCanNotVetItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	vetted := job()
	vetted.Vetting, vetted.VettedUntil = onward.VettingPassed, today.AddDays(90)
	create := func(actor onward.Actor, d onward.OpportunityDetails) (o onward.Opportunity, err error) {
		err = b.try(actor, func(tx *store.Tx) (err error) {
			o, err = tx.CreateOpportunity(t.Context(), store.NewOpportunity{Details: d})
			return err
		})
		return o, err
	}
	_, err := create(employer, vetted)
	wantField(t, err, "vetting", "role")
	wantField(t, err, "vetted_until", "role")
	_, err = create(as(ours, onward.RoleSupervisor), vetted)
	wantField(t, err, "vetting", "role")
	o := result(b, onward.System(), func(tx *store.Tx) (onward.Opportunity, error) {
		return tx.CreateOpportunity(t.Context(), store.NewOpportunity{OrganisationID: ours.ID, Details: vetted})
	})
	change := func(d onward.OpportunityDetails) (changed onward.Opportunity, err error) {
		err = b.try(employer, func(tx *store.Tx) (err error) {
			changed, err = tx.UpdateOpportunity(t.Context(), o.ID, 0, d)
			return err
		})
		return changed, err
	}
	longer := vetted
	longer.VettedUntil = today.AddDays(900)
	_, err = change(longer)
	wantField(t, err, "vetted_until", "role")
	changed, err := change(job()) // leaves the vetting out
	if err != nil || changed.Vetting != onward.VettingPassed || changed.VettedUntil != vetted.VettedUntil {
		t.Errorf("vetting is %q until %s (%v), want it as it was", changed.Vetting, changed.VettedUntil, err)
	}
}
