"""Tests against a real control plane: `make test-cluster`."""
