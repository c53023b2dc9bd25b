"""Source to Spec: what the user asked for, checked and typed."""
