// Reads Jobs and PersistentVolumeClaims, one JSON object {"id", "job"} or {"id", "claim"} a line, and
// prints what the API server of Kubernetes would refuse in each, one JSON object a line: in the Job as
// it is created, in the Pod that the Job controller makes of its template, in the claim. Defaults,
// strategies and validation are the API server's own code, with its feature gates as they default.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/registry/batch/job"
)

type verdict struct {
	ID    json.RawMessage `json:"id"`
	Job   []problem       `json:"job,omitempty"`
	Pod   []problem       `json:"pod,omitempty"`
	Claim []problem       `json:"claim,omitempty"`
	Err   string          `json:"err,omitempty"`
}

type problem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

type line struct {
	ID    json.RawMessage `json:"id"`
	Job   json.RawMessage `json:"job"`
	Claim json.RawMessage `json:"claim"`
}

func main() {
	// Every cluster that runs training has --allow-privileged=true; kubeadm sets it.
	capabilities.Initialize(capabilities.Capabilities{AllowPrivileged: true})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			log.Fatal(err)
		}
		v := judge(l)
		v.ID = l.ID
		if err := out.Encode(v); err != nil {
			log.Fatal(err)
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
}

func judge(l line) (v verdict) {
	defer func() {
		if r := recover(); r != nil {
			v.Err = fmt.Sprintf("panic: %v", r)
		}
	}()
	var err error
	if l.Claim != nil {
		v.Claim, err = judgeClaim(l.Claim)
	} else {
		v.Job, v.Pod, err = judgeJob(l.Job)
	}
	if err != nil {
		v.Err = err.Error()
	}
	return v
}

func judgeJob(data []byte) (ofJob, ofPod []problem, err error) {
	external, internal := &batchv1.Job{}, &batch.Job{}
	if err := json.Unmarshal(data, external); err != nil {
		return nil, nil, err
	}
	external.UID = types.UID("11111111-2222-4333-8444-555555555555")
	pod := firstPod(external)
	legacyscheme.Scheme.Default(external)
	if err := legacyscheme.Scheme.Convert(external, internal, nil); err != nil {
		return nil, nil, err
	}
	ctx := request.WithNamespace(context.Background(), external.Namespace)
	job.Strategy.PrepareForCreate(ctx, internal)
	ofJob = list(job.Strategy.Validate(ctx, internal))
	ofPod, err = judgePod(pod)
	return ofJob, ofPod, err
}

// firstPod is the Pod with index 0 as the Job controller asks the API server to create it, after the
// ServiceAccount admission plugin, which every API server has.
func firstPod(j *batchv1.Job) *corev1.Pod {
	template := j.Spec.Template.DeepCopy()
	pod := &corev1.Pod{Spec: template.Spec}
	pod.Labels, pod.Annotations = template.Labels, template.Annotations
	pod.Finalizers = append(template.Finalizers, batchv1.JobTrackingFinalizer)
	pod.Namespace, pod.Name = j.Namespace, j.Name+"-0-abcde"
	if pod.Spec.Hostname == "" && j.Spec.CompletionMode != nil && *j.Spec.CompletionMode == batchv1.IndexedCompletion {
		pod.Spec.Hostname = j.Name + "-0"
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = "default"
	}
	return pod
}

func judgePod(external *corev1.Pod) ([]problem, error) {
	pod := &core.Pod{}
	legacyscheme.Scheme.Default(external)
	if err := legacyscheme.Scheme.Convert(external, pod, nil); err != nil {
		return nil, err
	}
	podutil.DropDisabledPodFields(pod, nil)
	opts := podutil.GetValidationOptionsFromPodSpecAndMeta(&pod.Spec, nil, &pod.ObjectMeta, nil)
	opts.ResourceIsPod = true
	return list(validation.ValidatePodCreate(pod, opts)), nil
}

func judgeClaim(data []byte) ([]problem, error) {
	external, claim := &corev1.PersistentVolumeClaim{}, &core.PersistentVolumeClaim{}
	if err := json.Unmarshal(data, external); err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(external)
	if err := legacyscheme.Scheme.Convert(external, claim, nil); err != nil {
		return nil, err
	}
	opts := validation.ValidationOptionsForPersistentVolumeClaimCreate()
	return list(validation.ValidatePersistentVolumeClaim(claim, opts)), nil
}

func list(errs field.ErrorList) []problem {
	var out []problem
	for _, e := range errs {
		out = append(out, problem{Field: e.Field, Detail: e.ErrorBody()})
	}
	return out
}
