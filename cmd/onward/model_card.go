package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"onward"
	"onward/api"
	"onward/cmd/onward/internal/engine"
	"onward/matcher/modelcard"
)

func newModelCard(o *options) *cobra.Command {
	var language string
	var asHTML, asJSON bool
	c := &cobra.Command{
		Use: "model-card", Short: "Print what the model is, reads, can't do, and who may decide otherwise", Args: cobra.NoArgs,
		Long: "Inputs and what is never one (tests hold them against the program), versions, what was fitted on which data, measured quality, known limits, and how a\n" +
			"person objects: as JSON, or as a page that stands alone and can be handed on.",
		Example: "  onward model-card --html --language es > ficha.html",
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(onward.ServiceLanguages(), language) {
				return onward.Errorf(onward.EInvalid, "--language takes %s", strings.Join(onward.ServiceLanguages(), ", "))
			}
			if asHTML && asJSON {
				return onward.Errorf(onward.EInvalid, "use --json or --html, not both")
			}
			return o.withReference(c.Context(), func(e *engine.Engine) error {
				config, err := engine.FromEnvironment()
				if err != nil {
					return err
				}
				facts, err := api.ModelFacts(c.Context(), e.Store, e.Catalogue.Current(), config.Contact)
				if err != nil {
					return err
				}
				card := modelcard.New(facts, language)
				if !asHTML {
					return printJSON(c, card)
				}
				return card.Page(c.OutOrStdout(), api.Style())
			})
		},
	}
	c.Flags().StringVar(&language, "language", "en", "en, fr, es or ar")
	c.Flags().BoolVar(&asHTML, "html", false, "as a page that stands alone")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON, which is the default")
	return c
}
