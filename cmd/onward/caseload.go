package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"onward"
	"onward/cmd/onward/internal/demo"
	"onward/internal/reference"
	"onward/store"
)

// caseload is the fictional caseload as it is in the database.
type caseload struct {
	Spotlight       onward.Returnee // the person whose list is shown
	CounsellorToken string
	EmployerToken   string
	PartnerToken    string
}

const (
	demoSeed    = 1
	demoBatch   = 400
	tokenPeriod = 7 * 24 * time.Hour
)

// loadCaseload writes the fictional caseload, unless it is there, and makes tokens for the three kinds of user.
func loadCaseload(ctx context.Context, db *store.Store, progress func(done, total int)) (caseload, error) {
	made, err := generateCaseload(demoSeed, db.Today())
	if err != nil {
		return caseload{}, err
	}
	loaded, err := openCaseload(ctx, db, made)
	if onward.CodeOf(err) == onward.ENotFound {
		if err := writeCaseload(ctx, db, made, progress); err != nil {
			return caseload{}, err
		}
		loaded, err = openCaseload(ctx, db, made)
	}
	return loaded, err
}

func generateCaseload(seed uint64, today onward.Date) (demo.Caseload, error) {
	places, err := reference.Places()
	if err != nil {
		return demo.Caseload{}, err
	}
	starter, err := reference.Starter()
	if err != nil {
		return demo.Caseload{}, err
	}
	return demo.Generate(seed, today, places, starter)
}

// openCaseload finds a caseload that was written whole: returnees come last. ENotFound otherwise.
func openCaseload(ctx context.Context, db *store.Store, made demo.Caseload) (caseload, error) {
	var loaded caseload
	users, err := demoUsers(ctx, db, made)
	if err != nil {
		return loaded, err
	}
	counsellor := actorOf(users[onward.RoleCounsellor])
	err = db.InTx(ctx, counsellor, func(tx *store.Tx) error {
		last := made.Returnees[len(made.Returnees)-1].ExternalID
		for _, externalID := range []string{last, made.Spotlight} {
			page, err := tx.Returnees(ctx, store.ReturneeFilter{ExternalID: externalID}, store.Cursor{Limit: 1})
			if err != nil {
				return err
			}
			if len(page.Items) == 0 {
				return onward.Errorf(onward.ENotFound, "the caseload is not loaded")
			}
			loaded.Spotlight = page.Items[0]
		}
		return nil
	})
	if err != nil {
		return loaded, err
	}
	until := time.Now().Add(tokenPeriod)
	err = db.InTx(ctx, onward.System(), func(tx *store.Tx) (err error) {
		for role, secret := range map[onward.Role]*string{
			onward.RoleCounsellor: &loaded.CounsellorToken, onward.RoleEmployer: &loaded.EmployerToken, onward.RolePartner: &loaded.PartnerToken,
		} {
			if *secret, _, err = tx.CreateToken(ctx, users[role], "demo", &until); err != nil {
				return err
			}
		}
		return nil
	})
	return loaded, err
}

func actorOf(u onward.User) onward.Actor {
	return onward.Actor{UserID: u.ID, OrganisationID: u.OrganisationID, Role: u.Role}
}

// demoUsers finds one user of each role: of the main agency where it has one, else of the first organisation that has.
func demoUsers(ctx context.Context, db *store.Store, made demo.Caseload) (map[onward.Role]onward.User, error) {
	users := map[onward.Role]onward.User{}
	err := db.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		for _, organisation := range made.Organisations {
			for _, u := range organisation.Users {
				if _, have := users[u.Role]; have && organisation.Slug != made.Agency {
					continue
				}
				found, err := tx.UserByEmail(ctx, u.Email)
				if err != nil {
					return err
				}
				users[u.Role] = found
			}
		}
		return nil
	})
	return users, err
}

func writeCaseload(ctx context.Context, db *store.Store, made demo.Caseload, progress func(done, total int)) error {
	ids, err := writeOrganisations(ctx, db, made.Organisations)
	if err != nil {
		return err
	}
	done, total := 0, len(made.Opportunities)+len(made.Returnees)
	step := func(n int) {
		done += n
		progress(done, total)
	}
	if err := writeOpportunities(ctx, db, ids, made.Opportunities, step); err != nil {
		return err
	}
	users, err := demoUsers(ctx, db, made)
	if err != nil {
		return err
	}
	returnees := make([]store.NewReturnee, len(made.Returnees))
	for i, r := range made.Returnees {
		returnees[i] = store.NewReturnee{Details: r, Fictional: true}
	}
	return writeBatches(ctx, db, actorOf(users[onward.RoleCounsellor]), returnees, step, func(tx *store.Tx, rows []store.NewReturnee) ([]store.Created, error) {
		return tx.CreateReturnees(ctx, rows)
	})
}

func writeOpportunities(ctx context.Context, db *store.Store, organisations map[string]onward.ID, list []demo.Opportunity, step func(int)) error {
	opportunities := make([]store.NewOpportunity, len(list))
	for i, o := range list {
		opportunities[i] = store.NewOpportunity{OrganisationID: organisations[o.Organisation], Details: o.Details, Publish: true, Fictional: true}
	}
	return writeBatches(ctx, db, onward.System(), opportunities, step, func(tx *store.Tx, rows []store.NewOpportunity) ([]store.Created, error) {
		return tx.CreateOpportunities(ctx, rows)
	})
}

// writeOrganisations adds what is not there yet, so that a load that was interrupted can go on.
func writeOrganisations(ctx context.Context, db *store.Store, list []demo.Organisation) (map[string]onward.ID, error) {
	ids := map[string]onward.ID{}
	err := db.InTx(ctx, onward.System(), func(tx *store.Tx) error {
		for _, o := range list {
			found, err := tx.OrganisationBySlug(ctx, o.Slug)
			if err == nil {
				ids[o.Slug] = found.ID
				continue
			}
			if onward.CodeOf(err) != onward.ENotFound {
				return err
			}
			if found, err = tx.CreateOrganisation(ctx, o.Organisation); err != nil {
				return err
			}
			ids[o.Slug] = found.ID
			for _, u := range o.Users {
				u.OrganisationID = found.ID
				if _, err := tx.CreateUser(ctx, u); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return ids, err
}

// writeBatches writes rows in transactions of a few hundred. A row that is refused is a defect of the generator.
func writeBatches[T any](ctx context.Context, db *store.Store, actor onward.Actor, list []T, step func(int), write func(*store.Tx, []T) ([]store.Created, error)) error {
	for rows := range slices.Chunk(list, demoBatch) {
		err := db.InTx(ctx, actor, func(tx *store.Tx) error {
			created, err := write(tx, rows)
			for _, c := range created {
				err = errors.Join(err, c.Err)
			}
			return err
		})
		if err != nil {
			return err
		}
		step(len(rows))
	}
	return nil
}
