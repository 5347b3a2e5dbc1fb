-- +goose Up

-- What the end of the placement counted as, beside the referral, so that figures need one table.
ALTER TABLE referrals ADD COLUMN outcome text NOT NULL DEFAULT '';
