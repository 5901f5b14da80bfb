"""Rollouts that a controller in the cluster carries out: it is told, followed and judged."""
