"""Policies over Kubernetes manifests, in CI as at admission: ValidatingAdmissionPolicy, Kyverno's ValidatingPolicy and
ClusterPolicy, evaluated without a cluster.

Promises: a function or feature that is not evaluated is refused by its name, and blocks; what cannot be answered is an
error, and blocks. Pure but for `usecases`, which reads files. Loaded when it is asked for: the face of `gates` imports
nothing of it before.
"""
