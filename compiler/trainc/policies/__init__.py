"""Info to Info: one file a policy."""
