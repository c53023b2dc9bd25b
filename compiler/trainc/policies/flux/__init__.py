"""Flux, the HPC workload manager. Holds ``POLICY``, by which discovery knows a policy."""

from trainc.policies.flux.policy import POLICY

__all__ = ["POLICY"]
