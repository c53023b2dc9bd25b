"""A project: ``trainc.yaml``, its environments, and the sources each of them compiles."""
