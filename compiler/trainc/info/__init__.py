"""Spec to Info: the job as policies see it."""
