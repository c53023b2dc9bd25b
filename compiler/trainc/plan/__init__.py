"""Info to Plan: the objects that shall exist."""
