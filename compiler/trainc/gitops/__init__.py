"""What GitOps tools need beside the objects: profiles, health checks, drift rules, contracts."""
