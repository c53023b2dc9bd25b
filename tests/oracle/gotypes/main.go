package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"

	trainer "github.com/kubeflow/trainer/v2/pkg/apis/trainer/v1alpha1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var owner = map[string]string{}
var types = map[string][]any{}

func name(t reflect.Type) string {
	if strings.Contains(t.PkgPath(), "api/batch/") && t.Name() == "SuccessPolicy" {
		return "JobSuccessPolicy" // JobSet has a type of this name too
	}
	if old, ok := owner[t.Name()]; ok && old != t.PkgPath() {
		panic("two types named " + t.Name() + ": " + old + ", " + t.PkgPath())
	}
	owner[t.Name()] = t.PkgPath()
	return t.Name()
}

// desc: kind string: "str","bool","int","num","quantity","intstr","time","any", or type name; prefix "[]" list, "{}" map, "*" pointer
func desc(t reflect.Type) string {
	switch t {
	case reflect.TypeOf(resource.Quantity{}):
		return "quantity"
	case reflect.TypeOf(intstr.IntOrString{}):
		return "intstr"
	case reflect.TypeOf(metav1.Time{}), reflect.TypeOf(metav1.MicroTime{}):
		return "time"
	case reflect.TypeOf(metav1.FieldsV1{}):
		return "any"
	}
	switch t.Kind() {
	case reflect.Ptr:
		return "*" + desc(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[]" + desc(t.Elem())
	case reflect.Map:
		return "{}" + desc(t.Elem())
	case reflect.String:
		return "str"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8:
		return "int"
	case reflect.Struct:
		walk(t)
		return name(t)
	}
	panic(fmt.Sprint("kind ", t))
}

func fields(t reflect.Type) []any {
	out := []any{}
	for i := 0; i < t.NumField(); i++ {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		parts := strings.Split(tag, ",")
		if tag == "-" {
			continue
		}
		if f.Anonymous && (parts[0] == "") {
			out = append(out, fields(f.Type)...)
			continue
		}
		omit := 0
		for _, p := range parts[1:] {
			if p == "omitempty" || p == "omitzero" {
				omit = 1
			}
		}
		row := []any{parts[0], desc(f.Type), omit}
		if s := f.Tag.Get("patchStrategy"); s != "" {
			row = append(row, s, f.Tag.Get("patchMergeKey"))
		}
		out = append(out, row)
	}
	return out
}

func walk(t reflect.Type) {
	n := name(t)
	if _, ok := types[n]; ok {
		return
	}
	types[n] = nil
	types[n] = fields(t)
}

func main() {
	walk(reflect.TypeOf(trainer.TrainJob{}))
	walk(reflect.TypeOf(trainer.TrainingRuntime{}))
	delete(types, "ListMeta")
	keys := []string{}
	for k := range types {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	b.WriteString("{\n")
	for i, k := range keys {
		j, _ := json.Marshal(types[k])
		kk, _ := json.Marshal(k)
		b.Write(kk)
		b.WriteString(":")
		b.Write(j)
		if i < len(keys)-1 {
			b.WriteString(",")
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n")
	os.Stdout.WriteString(b.String())
}
