"""The data cache of a job as manifests: what its initializer would ask the cluster for."""
