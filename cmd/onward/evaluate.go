package main

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"onward/cmd/onward/internal/evaluate"
)

// newEvaluate groups the commands that measure a model on data that it was not made with.
func newEvaluate(o *options) *cobra.Command {
	c := &cobra.Command{Use: "evaluate", Short: "Measure models against data with known answers"}
	c.AddCommand(newEvaluateLinking(), newEvaluateExtraction(), newFitLinking(), newEvaluateDestination(o), newEvaluateRelatedness())
	return c
}

func newEvaluateLinking() *cobra.Command {
	var files evaluate.LinkingFiles
	var asJSON bool
	c := &cobra.Command{
		Use:   "linking --esco PATH… --queries F --corpus F",
		Short: "Link titles to occupations and say how often the right one stands first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := evaluate.Linking(c.Context(), files)
			if err != nil {
				return err
			}
			return printResult(c, asJSON, result)
		},
	}
	c.Flags().StringSliceVar(&files.ESCO, "esco", nil, "official ESCO files, zips or directories")
	c.Flags().StringSliceVar(&files.Labels, "labels", nil, "files with labels in more languages (id, lang, label, alt)")
	c.Flags().StringVar(&files.Queries, "queries", "", "titles: query_id, query, relevant_concept_ids")
	c.Flags().StringVar(&files.Corpus, "corpus", "", "what they are linked to: element_id, concept_id, surface_form")
	c.Flags().StringSliceVar(&files.Examples, "examples", nil, "coded titles to learn from: query, relevant_concept_ids, or title, esco_occupation_id\n(default: queries_titles_dev.tsv.gz beside the queries or the corpus, if the queries are of its kind; none: never)")
	c.Flags().StringVar(&files.Predictions, "predictions", "", "write query_id, rank, element_id of the first 100 here")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"esco", "queries", "corpus"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

func newEvaluateExtraction() *cobra.Command {
	var files evaluate.ExtractionFiles
	var asJSON bool
	c := &cobra.Command{
		Use:   "extraction --esco PATH… --spans F",
		Short: "Link marked spans, and whole sentences, to skills and say how often the right ones stand first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := evaluate.Extraction(c.Context(), files)
			if err != nil {
				return err
			}
			return printResult(c, asJSON, result)
		},
	}
	c.Flags().StringSliceVar(&files.ESCO, "esco", nil, "official ESCO files, zips or directories")
	c.Flags().StringSliceVar(&files.Labels, "labels", nil, "files with labels in more languages (id, lang, label, alt)")
	c.Flags().StringVar(&files.Spans, "spans", "", "sentence, span, sub_span, esco_skill_id; no id: not scored")
	c.Flags().StringVar(&files.Predictions, "predictions", "", "write kind, item, rank, skill id here")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"esco", "spans"} {
		_ = c.MarkFlagRequired(name)
	}
	return c
}

// newFitLinking fits what evaluate linking and extraction use; what it prints goes into matcher/skills/linking/weights.go.
func newFitLinking() *cobra.Command {
	var files evaluate.FitFiles
	c := &cobra.Command{
		Use:   "linking-weights --esco PATH… --set QUERIES=CORPUS… --spans F…",
		Short: "Fit the weights of linking on texts with known answers, and cross-validate them",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return evaluate.FitLinking(c.Context(), files, c.OutOrStdout())
		},
	}
	c.Flags().StringSliceVar(&files.ESCO, "esco", nil, "official ESCO files, zips or directories")
	c.Flags().StringSliceVar(&files.Labels, "labels", nil, "files with labels in more languages (id, lang, label, alt)")
	c.Flags().StringArrayVar(&files.Sets, "set", nil, "titles and their corpus, as QUERIES=CORPUS")
	c.Flags().StringArrayVar(&files.Titles, "titles", nil, "coded vacancy titles, which are learnt from too, and their corpus, as QUERIES=CORPUS")
	c.Flags().StringArrayVar(&files.Spans, "spans", nil, "spans with their skills")
	_ = c.MarkFlagRequired("esco")
	return c
}

// printResult prints what was measured, as JSON or for a person.
func printResult(c *cobra.Command, asJSON bool, result interface{ Print(w io.Writer) }) error {
	if asJSON {
		return printJSON(c, result)
	}
	result.Print(c.OutOrStdout())
	return nil
}

func printJSON(c *cobra.Command, v any) error {
	encoder := json.NewEncoder(c.OutOrStdout())
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
