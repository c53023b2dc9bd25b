"""PyTorch, and torchtune on top of it. Holds ``POLICY``, by which discovery knows a policy."""

from trainc.policies.torch.policy import POLICY

__all__ = ["POLICY"]
