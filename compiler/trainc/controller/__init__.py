"""Runs in the cluster: gathers a job's objects, decides its status, applies what changed."""
