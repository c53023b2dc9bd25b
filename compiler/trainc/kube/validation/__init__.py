"""What the API server checks in a JobSet and in the Jobs, Pods and claims made of it, rule by rule.

The rules are those of Kubernetes 1.35 (pkg/apis/core/validation, pkg/apis/batch/validation), of the
JobSet CRD and of JobSet 0.12's webhook, applied to objects that nobody has defaulted yet. Where a
rule hangs on a feature gate that a cluster may set either way, what one of them accepts passes.
"""
