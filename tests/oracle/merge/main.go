// Command merge writes the strategic-merge vectors that the unit tests read.
//
//	go run . > ../../data/strategic_merge.json.gz
//
// In: nothing (the seed is fixed, so the bytes are the same each time). Out: gzipped JSON, a list of
//
//	{"base": B, "patch": P, "merged": M}     the typed forms of a JobSet spec and a runtimePatches spec and
//	                                         what the merge makes of them
//	"raw": R                                 the patch as written, where its typed form P differs
//	"typed": T                               M after its trip through the Go type, where that differs
//	"error": true                            instead of merged: the merge refuses
//
// The values are made by reflection over the Go types, so every field that a patch can carry occurs, with
// names drawn from small pools, so that they collide.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strings"

	trainer "github.com/kubeflow/trainer/v2/pkg/apis/trainer/v1alpha1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	jobset "sigs.k8s.io/jobset/api/jobset/v1alpha2"
)

const (
	seed    = 20260622
	vectors = 1300
)

// often holds the fields that patches are about; rarely those that only pass through.
var (
	often = set("replicatedJobs", "template", "spec", "metadata", "labels", "annotations", "finalizers", "containers", "initContainers",
		"env", "volumeMounts", "volumes", "tolerations", "nodeSelector", "affinity", "imagePullSecrets", "schedulingGates", "securityContext")
	needed = set("name", "containerPort", "ip", "devicePath", "uid", "mountPath", "key", "operator", "topologyKey", "replicatedJob")
	plain  = set("image", "command", "args", "resources", "value", "valueFrom", "readOnly", "serviceAccountName",
		"terminationGracePeriodSeconds", "nodeAffinity", "podAffinity", "podAntiAffinity", "capabilities")
	metadata = set("labels", "annotations", "finalizers", "name", "namespace")
	named    = set("replicatedJobs", "containers", "initContainers", "env", "volumes", "imagePullSecrets", "schedulingGates")
)

type maker struct {
	random *rand.Rand
	patch  bool
}

func main() {
	random := rand.New(rand.NewSource(seed))
	var out []map[string]any
	for range vectors {
		out = append(out, vector(random))
	}
	if err := write(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func vector(random *rand.Rand) map[string]any {
	rawBase := (&maker{random, false}).value(reflect.TypeFor[jobset.JobSetSpec](), "spec", "")
	rawPatch := (&maker{random, true}).value(reflect.TypeFor[trainer.JobSetSpecPatch](), "spec", "")
	base, patch := typed[jobset.JobSetSpec](rawBase), typed[trainer.JobSetSpecPatch](rawPatch)
	out := map[string]any{"base": base, "patch": patch}
	if !reflect.DeepEqual(rawPatch, patch) {
		out["raw"] = rawPatch
	}
	merged, err := strategicpatch.StrategicMergePatch(encode(base), encode(patch), jobset.JobSetSpec{})
	if err != nil {
		out["error"] = true
		return out
	}
	out["merged"] = decode(merged)
	if result := typed[jobset.JobSetSpec](out["merged"]); !reflect.DeepEqual(result, out["merged"]) {
		out["typed"] = result
	}
	return out
}

// value makes a JSON value of a Go type; field and key say where it stands.
func (m *maker) value(of reflect.Type, field, mergeKey string) any {
	switch of {
	case reflect.TypeFor[resource.Quantity]():
		return pick(m.random, "1", "500m", "1Gi", "1024Mi", "0", "0.5")
	case reflect.TypeFor[metav1.Time]():
		return "2026-01-02T03:04:05Z"
	case reflect.TypeFor[intstr.IntOrString]():
		return []any{"http", float64(8080)}[m.random.Intn(2)]
	case reflect.TypeFor[metav1.ObjectMeta]():
		return m.object(of, metadata)
	}
	switch of.Kind() {
	case reflect.Pointer:
		return m.value(of.Elem(), field, mergeKey)
	case reflect.Struct:
		return m.object(of, nil)
	case reflect.Map:
		return m.mapping(of, field)
	case reflect.Slice:
		return m.list(of, field, mergeKey)
	case reflect.String:
		return m.text(field)
	case reflect.Bool:
		return m.random.Intn(2) == 0
	case reflect.Int, reflect.Int32, reflect.Int64:
		return float64(pick(m.random, 0, 1, 2, 7, 420))
	}
	panic(of.String())
}

func (m *maker) object(of reflect.Type, only map[string]bool) any {
	out := map[string]any{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && (name == "" || strings.Contains(options, "inline")) {
			for key, item := range m.value(field.Type, "", "").(map[string]any) {
				out[key] = item
			}
			continue
		}
		if name == "" || name == "-" || only != nil && !only[name] || !m.wanted(name) {
			continue
		}
		out[name] = m.value(field.Type, name, field.Tag.Get("patchMergeKey"))
	}
	return out
}

func (m *maker) wanted(name string) bool {
	switch {
	case needed[name], name == "replicatedJobs", name == "template", name == "spec", name == "containers":
		return true
	case often[name]:
		return m.random.Intn(5) < 2
	case plain[name]:
		return m.random.Intn(4) == 0
	}
	return m.random.Intn(25) == 0
}

func (m *maker) mapping(of reflect.Type, field string) any {
	out := map[string]any{}
	for range m.random.Intn(4) {
		out[pick(m.random, "a", "b", "c.io/d", "e", "f")] = m.value(of.Elem(), "", "")
	}
	if of.Elem().Kind() == reflect.String && m.patch && field != "data" && m.random.Intn(5) == 0 {
		key := pick(m.random, "$patch", "$patch", "$patch", "$retainKeys", "$setElementOrder/x", "$deleteFromPrimitiveList/finalizers")
		out[key] = pick(m.random, "replace", "replace", "delete", "merge", "x", "")
	}
	return out
}

func (m *maker) list(of reflect.Type, field, mergeKey string) any {
	if of.Elem().Kind() == reflect.Uint8 {
		return "YQ=="
	}
	out := []any{}
	seen := map[string]bool{}
	count := m.random.Intn(pick(m.random, 2, 4, 6))
	if field == "replicatedJobs" {
		count = 1 + m.random.Intn(3)
	}
	for range count {
		item := m.value(of.Elem(), field, "")
		// A mount list is keyed by name in a patch, by path in a runtime, and merged by path.
		key := mergeKey
		if m.patch && (field == "volumeMounts" || named[field]) { // the patch's own types carry no merge keys
			key = "name"
		}
		if object, ok := item.(map[string]any); ok && key != "" {
			if object[key] == nil {
				object[key] = m.text(key)
			}
			if mark := fmt.Sprint(object[key]); seen[mark] {
				continue
			} else {
				seen[mark] = true
			}
		}
		out = append(out, item)
	}
	return out
}

func (m *maker) text(field string) string {
	switch field {
	case "name", "key":
		return pick(m.random, "n0", "n1", "n2", "n3", "node")
	case "mountPath":
		return pick(m.random, "/a", "/b", "/c", "/d")
	case "finalizers":
		return pick(m.random, "x.io/a", "x.io/b", "x.io/c")
	}
	return pick(m.random, "u", "v", "w", "")
}

// typed gives what a value is after a trip through a Go type, as every object of the API takes it.
func typed[T any](value any) any {
	var object T
	if err := json.Unmarshal(encode(value), &object); err != nil {
		panic(err)
	}
	return decode(encode(object))
}

func encode(value any) []byte {
	out, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return out
}

func decode(data []byte) any {
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}

func pick[T any](random *rand.Rand, choices ...T) T { return choices[random.Intn(len(choices))] }

func set(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, name := range names {
		out[name] = true
	}
	return out
}

func write(out []map[string]any) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zipped.Write(buffer.Bytes()); err != nil {
		return err
	}
	return zipped.Close()
}
