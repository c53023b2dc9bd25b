// Command admission says what the API server makes of objects of our kinds, by its own code.
//
//	go run . CRD.yaml... < documents.jsonl > verdicts.jsonl
//
// In: CustomResourceDefinitions, and on stdin one JSON object a line, {"new": object, "old": object
// or null}. Out: one line for each: the unknown fields that were pruned, the object with its nulls
// dropped and its defaults applied, and field and type of every error of the metadata, the schema with
// the keyed lists, and the CEL rules (asked only where the schema finds nothing that blocks them).
// "garbled" is why the metadata could not be decoded; then nothing else is asked.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

type line struct {
	New object `json:"new"`
	Old object `json:"old"`
}

type finding struct {
	Field string `json:"field"`
	Type  string `json:"type"`
}

type verdict struct {
	Unknown []string  `json:"unknown,omitempty"`
	Garbled string    `json:"garbled,omitempty"`
	Meta    []finding `json:"meta,omitempty"`
	Object  object    `json:"object"`
	Schema  []finding `json:"schema,omitempty"`
	Rules   []finding `json:"rules,omitempty"`
}

type kind struct {
	structural *schema.Structural
	schema     validation.SchemaValidator
	rules      *cel.Validator
	namespaced bool
}

func main() {
	kinds := map[string]*kind{}
	for _, path := range os.Args[1:] {
		name, read := readKind(path)
		kinds[name] = read
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var given line
		must(utiljson.Unmarshal(in.Bytes(), &given))
		must(out.Encode(judge(kinds[given.New["kind"].(string)], given)))
	}
	must(in.Err())
}

func readKind(path string) (string, *kind) {
	text, err := os.ReadFile(path)
	must(err)
	crd := &v1.CustomResourceDefinition{}
	must(yaml.Unmarshal(text, crd))
	props := &apiextensions.JSONSchemaProps{}
	must(v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, props, nil))
	structural, err := schema.NewStructural(props)
	must(err)
	validator, _, err := validation.NewSchemaValidator(props)
	must(err)
	return crd.Spec.Names.Kind, &kind{structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit), crd.Spec.Scope == v1.NamespaceScoped}
}

func judge(k *kind, given line) verdict {
	meta, _, unknownMeta, err := objectmeta.GetObjectMetaWithOptions(given.New, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	out := verdict{Unknown: append(decode(k, given.New), unknownMeta...), Object: given.New}
	if err != nil {
		out.Garbled = err.Error()
		return out
	}
	if meta == nil {
		meta = &metav1.ObjectMeta{}
	}
	if !k.namespaced {
		meta.Namespace = "" // cleared, as EnsureObjectNamespaceMatchesRequestNamespace does
	} else if meta.Namespace == "" {
		meta.Namespace = "default" // as the request's path says it
	}
	out.Meta = findings(metavalidation.ValidateObjectMetaAccessor(meta, k.namespaced, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata")))
	if given.Old != nil {
		decode(k, given.Old)
	}
	errs := validation.ValidateCustomResource(nil, given.New, k.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, k.structural, given.New)...)
	out.Schema = findings(errs)
	if !blocked(errs) {
		rules, _ := k.rules.Validate(context.Background(), nil, k.structural, given.New, given.Old, celconfig.RuntimeCELCostBudget)
		out.Rules = findings(rules)
	}
	return out
}

func decode(k *kind, o object) []string {
	unknown := pruning.PruneWithOptions(o, k.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(o, k.structural)
	defaulting.Default(o, k.structural)
	return unknown
}

// blocked repeats the strategy of the API server, whose function is not exported.
func blocked(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}

func findings(errs field.ErrorList) []finding {
	var out []finding
	for _, err := range errs {
		out = append(out, finding{err.Field, string(err.Type)})
	}
	return out
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
