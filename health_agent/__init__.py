"""The endpoint agent: notices every unknown executable the moment it first runs, and tells the policy service."""
