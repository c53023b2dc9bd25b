// Reads JobSets, one JSON object {"id", "jobset"} a line, and prints for each, one JSON object a line,
// what the JobSet CRD (schema, list keys, CEL rules) and the webhook of the JobSet controller would
// refuse in it, and the Jobs (the last of each replicated job, whose names are the longest) and
// PersistentVolumeClaims that the controller would make of it. Defaults, validation and the making of
// Jobs are the API server's and the controller's own code. The argument is the CRD's file.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	_ "unsafe"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
	jobset "sigs.k8s.io/jobset/api/jobset/v1alpha2"
	"sigs.k8s.io/jobset/pkg/controllers"
	_ "sigs.k8s.io/jobset/pkg/webhooks"
	"sigs.k8s.io/yaml"
)

// webhook has the layout of the webhook's own type, which is not exported.
type webhook struct{ client client.Client }

//go:linkname setDefaults sigs.k8s.io/jobset/pkg/webhooks.(*jobSetWebhook).Default
func setDefaults(w *webhook, ctx context.Context, js *jobset.JobSet) error

//go:linkname validateCreate sigs.k8s.io/jobset/pkg/webhooks.(*jobSetWebhook).ValidateCreate
func validateCreate(w *webhook, ctx context.Context, js *jobset.JobSet) (admission.Warnings, error)

//go:linkname constructJob sigs.k8s.io/jobset/pkg/controllers.constructJob
func constructJob(js *jobset.JobSet, rjob *jobset.ReplicatedJob, index int) *batchv1.Job

type line struct {
	ID     json.RawMessage `json:"id"`
	JobSet json.RawMessage `json:"jobset"`
}

type verdict struct {
	ID      json.RawMessage                 `json:"id"`
	CRD     []metav1.StatusCause            `json:"crd,omitempty"`
	Refused []metav1.StatusCause            `json:"refused,omitempty"`
	Jobs    []*batchv1.Job                  `json:"jobs,omitempty"`
	Claims  []*corev1.PersistentVolumeClaim `json:"claims,omitempty"`
	Err     string                          `json:"err,omitempty"`
}

func main() {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		log.Fatal(err)
	}
	w := &webhook{client: fake.NewClientBuilder().WithScheme(scheme).Build()}
	crd := load(os.Args[1])
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			log.Fatal(err)
		}
		v := judge(crd, w, l.JobSet)
		v.ID = l.ID
		if err := out.Encode(v); err != nil {
			log.Fatal(err)
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
}

// definition is a CRD's schema, ready to check with.
type definition struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator
}

func load(file string) *definition {
	data, err := os.ReadFile(file)
	check(err)
	crd := &apiextensionsv1.CustomResourceDefinition{}
	check(yaml.Unmarshal(data, crd))
	props := &apiextensions.JSONSchemaProps{}
	given := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	check(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(given, props, nil))
	structural, err := schema.NewStructural(props)
	check(err)
	validator, _, err := validation.NewSchemaValidator(props)
	check(err)
	rules := cel.NewValidator(structural, true, celconfig.PerCallLimit)
	return &definition{structural: structural, validator: validator, rules: rules}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// admit sets the CRD's defaults in the object and lists what the CRD refuses in it.
func (d *definition) admit(ctx context.Context, obj map[string]any) field.ErrorList {
	defaulting.Default(obj, d.structural)
	errs := validation.ValidateCustomResource(nil, obj, d.validator)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.structural, obj)...)
	if len(errs) == 0 {
		errs, _ = d.rules.Validate(ctx, nil, d.structural, obj, nil, celconfig.RuntimeCELCostBudget)
	}
	return errs
}

func judge(crd *definition, w *webhook, data []byte) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			v.Err = fmt.Sprintf("panic: %v", r)
		}
	}()
	ctx, obj, js := context.Background(), map[string]any{}, &jobset.JobSet{}
	err := json.Unmarshal(data, &obj)
	if err == nil {
		obj = runtime.DeepCopyJSON(numbers(obj).(map[string]any))
		v.CRD = of(crd.admit(ctx, obj))
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(obj, js)
	}
	if err != nil {
		v.Err = err.Error()
		return v
	}
	v.CRD = append(v.CRD, of(metavalidation.ValidateObjectMetaAccessor(
		js, true, metavalidation.NameIsDNSSubdomain, field.NewPath("metadata")))...)
	js.UID = "11111111-2222-4333-8444-555555555555"
	if err := setDefaults(w, ctx, js); err != nil {
		v.Err = err.Error()
		return v
	}
	if _, err := validateCreate(w, ctx, js); err != nil {
		v.Refused = causes(err)
	}
	for i := range js.Spec.ReplicatedJobs {
		rjob := &js.Spec.ReplicatedJobs[i]
		v.Jobs = append(v.Jobs, constructJob(js, rjob, max(int(rjob.Replicas)-1, 0)))
	}
	for _, policy := range js.Spec.VolumeClaimPolicies {
		for _, template := range policy.Templates {
			v.Claims = append(v.Claims, &corev1.PersistentVolumeClaim{
				ObjectMeta: metav1.ObjectMeta{
					Name:        controllers.GeneratePVCName(js.Name, template.Name),
					Namespace:   js.Namespace,
					Labels:      template.Labels,
					Annotations: template.Annotations,
				},
				Spec: template.Spec,
			})
		}
	}
	return v
}

// numbers turns whole floats into integers, as the API server's JSON decoder reads them.
func numbers(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		for key, item := range typed {
			typed[key] = numbers(item)
		}
	case []any:
		for i, item := range typed {
			typed[i] = numbers(item)
		}
	case float64:
		if typed == float64(int64(typed)) {
			return int64(typed)
		}
	}
	return value
}

func of(errs field.ErrorList) []metav1.StatusCause {
	var out []metav1.StatusCause
	for _, err := range errs {
		out = append(out, metav1.StatusCause{Field: err.Field, Message: err.ErrorBody()})
	}
	return out
}

func causes(err error) []metav1.StatusCause {
	status, ok := err.(interface{ Status() metav1.Status })
	if !ok || status.Status().Details == nil {
		return []metav1.StatusCause{{Message: err.Error()}}
	}
	return status.Status().Details.Causes
}
