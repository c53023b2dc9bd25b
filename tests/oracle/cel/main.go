// Command cel writes the verdicts of the API server's CEL on expressions: what a rule of a
// ValidatingAdmissionPolicy comes to.
//
//	python expressions.py | go run . > ../../data/cel.json.gz
//
// In: a JSON list of expressions, on standard input. They may name "object", a map. Out: gzipped
// JSON, a list of [expression, value], of [expression] alone where it cannot be evaluated, or of
// [expression, null, "refused"] where the type checker refuses it.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/google/cel-go/cel"
	"google.golang.org/protobuf/types/known/structpb"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

const object = `{
	"name": "llm", "nodes": 4, "rate": 1.5, "on": true, "none": null,
	"labels": {"team": "ml", "tier": "gold"},
	"list": [3, 1, 2], "words": ["b", "a", "c", "a"], "memory": "16Gi", "cpu": "500m",
	"items": [{"name": "a", "size": 3}, {"name": "b"}]
}`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, 36)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        []cel.EnvOption{cel.Variable("object", cel.DynType)},
	})
	if err != nil {
		return err
	}
	env, err := set.Env(environment.StoredExpressions)
	if err != nil {
		return err
	}
	var expressions []string
	if err := json.NewDecoder(os.Stdin).Decode(&expressions); err != nil {
		return err
	}
	var value any
	if err := json.Unmarshal([]byte(object), &value); err != nil {
		return err
	}
	whole(value)
	out := make([][]any, 0, len(expressions))
	for _, each := range expressions {
		verdict, checked, reason := evaluate(env, each, value)
		switch {
		case reason == nil:
			out = append(out, []any{each, verdict})
		case checked:
			out = append(out, []any{each})
		default:
			out = append(out, []any{each, nil, "refused"})
		}
		if len(os.Args) > 1 && reason != nil {
			fmt.Fprintln(os.Stderr, each, "=>", reason)
		}
	}
	zipped, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(zipped)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return err
	}
	return zipped.Close()
}

// whole makes integers of whole numbers, as the API server's own decoder does.
func whole(value any) {
	switch node := value.(type) {
	case map[string]any:
		for key, item := range node {
			node[key] = asInt(item)
			whole(node[key])
		}
	case []any:
		for index, item := range node {
			node[index] = asInt(item)
			whole(node[index])
		}
	}
}

func asInt(value any) any {
	if number, ok := value.(float64); ok && number == float64(int64(number)) {
		return int64(number)
	}
	return value
}

// evaluate gives the value of an expression, and whether the type checker has let it through.
func evaluate(env *cel.Env, expression string, value any) (any, bool, error) {
	ast, issues := env.Compile(expression)
	if issues != nil && issues.Err() != nil {
		return nil, false, issues.Err()
	}
	program, err := env.Program(ast)
	if err != nil {
		return nil, true, err
	}
	result, _, err := program.Eval(map[string]any{"object": value})
	if err != nil {
		return nil, true, err
	}
	native, err := result.ConvertToNative(reflect.TypeOf(&structpb.Value{}))
	if err != nil {
		return nil, true, err
	}
	return native.(*structpb.Value).AsInterface(), true, nil
}
