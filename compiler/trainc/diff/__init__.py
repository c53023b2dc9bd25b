"""What a change of the sources does to a cluster: created, changed in place, replaced, pruned."""
