"""What a cluster needs to run the controller: kinds, rights, policies, the workload itself."""
