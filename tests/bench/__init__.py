"""The bars of the compiler, measured side by side in one run: ``python -m tests.bench``."""
