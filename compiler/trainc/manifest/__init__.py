"""Plan to Manifests: bytes, in order."""
