// Reads back what trainc emitted, as kubectl does, and prints what came out different.
//
// In: a JSON list of {"yaml": text, "want": value}. Out: one line for each that differs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"reflect"

	"sigs.k8s.io/yaml"
)

type document struct {
	YAML string          `json:"yaml"`
	Want json.RawMessage `json:"want"`
}

// decode compares numbers by their digits, so that 2^63-1 is not rounded before.
func decode(data []byte) (value any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return numbers(value), err
}

// numbers gives 1.0, 1 and 10e-1, which are one number in JSON, one text.
func numbers(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, item := range typed {
			typed[key] = numbers(item)
		}
	case []any:
		for index, item := range typed {
			typed[index] = numbers(item)
		}
	case json.Number:
		exact, _ := new(big.Rat).SetString(typed.String())
		return exact.RatString()
	}
	return value
}

func main() {
	var documents []document
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		panic(err)
	}
	for _, each := range documents {
		got, err := yaml.YAMLToJSONStrict([]byte(each.YAML))
		if err != nil {
			fmt.Printf("%q: %v\n", each.YAML, err)
			continue
		}
		want, _ := decode(each.Want)
		read, _ := decode(got)
		if !reflect.DeepEqual(want, read) {
			fmt.Printf("%q: want %s, got %s\n", each.YAML, each.Want, got)
		}
	}
}
