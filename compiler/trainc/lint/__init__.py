"""Lint: advice on jobs that a cluster would take. One file a group; the pages explain each code."""
