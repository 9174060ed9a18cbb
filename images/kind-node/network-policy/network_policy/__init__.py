"""Enforces Kubernetes NetworkPolicies on the one node of the locally built cluster with a single nftables table."""
