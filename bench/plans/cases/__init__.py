"""The cases, one file each, in the order in which they are told."""

from bench.plans.cases import changelog, lint, monorepo, next_version

CASES = (*changelog.CASES, *next_version.CASES, *lint.CASES, *monorepo.CASES)
