package main

import (
	"os"

	"github.com/spf13/cobra"

	"onward/api"
)

func newOpenAPI() *cobra.Command {
	return &cobra.Command{
		Use: "openapi", Short: "Print the OpenAPI document; starts nothing", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document, err := api.New(api.Config{}).OpenAPI()
			if err != nil {
				return err
			}
			_, err = os.Stdout.Write(document)
			return err
		},
	}
}
