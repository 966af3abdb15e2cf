"""Audit: integrations are sampled, and held to what their contracts promise (O4). Pure."""
