package store

import (
	"context"
	"slices"

	"onward"
)

// CloseRules are the rules of the actor's organisation for what becomes of its referrals when an opportunity closes: the
// defaults, and its own in their place.
func (tx *Tx) CloseRules(ctx context.Context) ([]onward.CloseRule, error) {
	var own []struct {
		Close  onward.CloseReason    `db:"close_reason"`
		Status onward.ReferralStatus `db:"status"`
		Event  onward.ReferralEvent  `db:"event"`
		Reason onward.ReferralReason `db:"reason"`
	}
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleAdministrator {
		return nil, onward.Errorf(onward.EForbidden, "only supervisors and administrators see these rules")
	}
	if err := tx.selectAll(ctx, &own, `SELECT close_reason, status, event, reason FROM close_rules WHERE organisation_id = $1`, tx.Actor.OrganisationID); err != nil {
		return nil, wrap("read close rules", err)
	}
	rules := onward.DefaultCloseRules()
	for _, r := range own {
		i := slices.IndexFunc(rules, func(d onward.CloseRule) bool { return d.Close == r.Close && d.Status == r.Status })
		if i >= 0 {
			rules[i] = onward.CloseRule(r)
		}
	}
	return rules, nil
}

// SetCloseRules replaces the organisation's own rules. What is not named follows the defaults.
func (tx *Tx) SetCloseRules(ctx context.Context, rules []onward.CloseRule) ([]onward.CloseRule, error) {
	if tx.Actor.Role != onward.RoleSupervisor && tx.Actor.Role != onward.RoleAdministrator {
		return nil, onward.Errorf(onward.EForbidden, "only supervisors and administrators set these rules")
	}
	if err := onward.ValidateCloseRules(rules); err != nil {
		return nil, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM close_rules WHERE organisation_id = $1`, tx.Actor.OrganisationID); err != nil {
		return nil, wrap("set close rules", err)
	}
	for _, r := range rules {
		if _, err := tx.exec(ctx, `INSERT INTO close_rules (organisation_id, close_reason, status, event, reason) VALUES ($1, $2, $3, $4, $5)`,
			tx.Actor.OrganisationID, string(r.Close), string(r.Status), string(r.Event), string(r.Reason)); err != nil {
			return nil, wrap("set close rules", err)
		}
	}
	return tx.CloseRules(ctx)
}
