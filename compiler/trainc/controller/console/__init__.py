"""What a user asks of a cluster from a terminal: how jobs are, their logs, suspend and resume."""
