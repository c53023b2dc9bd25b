"""What Kubernetes adds to CEL, for cel-python's interpreter: syntax, macros and functions.

The functions are those that the API server gives to a ValidatingAdmissionPolicy (Kubernetes 1.36,
``k8s.io/apiserver/pkg/cel/environment``), and ``cel.bind``.
"""
