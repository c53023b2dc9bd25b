"""Leaf modules that know Kubernetes but not trainc."""
