// Command yaml writes the truth table of what kubectl reads in YAML that the loader's tests read.
//
//	go run . > ../../data/yaml.json.gz
//
// In: nothing (the seed is fixed, so the bytes are the same each time). Out: gzipped JSON with
//
//	scalars:   [text, value, key]: value is what `v: text` holds, in a list (null: refused), key is
//	           what the key becomes in `text: v` (null: refused);
//	documents: [text, objects, error, strict]: what kubectl's decoder reads of a stream until the error
//	           (null: none), and whether the strict mode of sigs.k8s.io/yaml takes the first document;
//	           each letter of text is one byte, since some are no UTF-8.
//
// Numbers are as the API server decodes them: an integer that does not fit int64 is a float64.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	kubejson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

const (
	seed    = 20261122
	randoms = 4000
	mutants = 6000
)

type table struct {
	Source    string  `json:"source"`
	Scalars   [][]any `json:"scalars"`
	Documents [][]any `json:"documents"`
}

func main() {
	random := rand.New(rand.NewSource(seed))
	out := table{Source: "sigs.k8s.io/yaml v1.6.0, k8s.io/apimachinery v0.36.2"}
	for _, text := range distinct(append(known(), numbers(random)...)) {
		out.Scalars = append(out.Scalars, []any{text, value(text), key(text)})
	}
	for _, text := range distinct(append(append([]string{}, streams...), mutated(random)...)) {
		objects, problem := stream(text)
		_, err := yaml.YAMLToJSONStrict([]byte(text))
		out.Documents = append(out.Documents, []any{latin(text), objects, problem, err == nil})
	}
	write(out)
}

// value returns what a plain scalar is in a value's place, nil where it is refused.
func value(text string) []any {
	object, err := object("v: " + text + "\n")
	if err != nil {
		return nil
	}
	return []any{object.(map[string]any)["v"]}
}

// key returns what a plain scalar becomes in a key's place, nil where it is refused.
func key(text string) any {
	object, err := object(text + ": v\n")
	if err != nil {
		return nil
	}
	mapping, ok := object.(map[string]any)
	if !ok || len(mapping) != 1 {
		return nil
	}
	for key := range mapping {
		return key
	}
	return nil
}

func object(text string) (any, error) {
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, err
	}
	return decoded(data)
}

// decoded reads JSON as the API server does.
func decoded(data []byte) (any, error) {
	var out any
	err := kubejson.UnmarshalCaseSensitivePreserveInts(data, &out)
	return out, err
}

// stream returns what kubectl reads of a file, and what stops it.
func stream(text string) (objects []any, problem any) {
	objects = []any{}
	decoder := kubeyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		var raw runtime.RawExtension
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return objects, err.Error()
		}
		data := bytes.TrimSpace(raw.Raw)
		if len(data) == 0 || bytes.Equal(data, []byte("null")) {
			continue
		}
		out, err := decoded(data)
		if err != nil {
			return objects, err.Error()
		}
		objects = append(objects, out)
	}
}

func write(out table) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	packed, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err == nil {
		_, err = packed.Write(text.Bytes())
	}
	if err == nil {
		err = packed.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// latin returns bytes as the letters of the same numbers.
func latin(text string) string {
	var out strings.Builder
	for _, letter := range []byte(text) {
		out.WriteRune(rune(letter))
	}
	return out.String()
}

func distinct(texts []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, text := range texts {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}
