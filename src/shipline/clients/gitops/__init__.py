"""GitOps: what a branch of manifests says runs, and what brings that to a cluster (Argo CD, Flux) tells of it.

Shared by the target and the traffic provider `gitops`: the first stages a version, the second brings it.
"""
