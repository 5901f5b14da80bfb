"""Kyverno's ClusterPolicy and Policy: patterns, conditions and JMESPath over manifests, asked as Kyverno asks them.

Source of what they mean: `kyverno/kyverno` (main of August 2026, Apache-2.0) and its documentation.
"""

from shipline.capabilities.gates.manifests.kyverno.cluster_policy import GROUP, KINDS, compile_cluster_policy

__all__ = ["GROUP", "KINDS", "compile_cluster_policy"]
