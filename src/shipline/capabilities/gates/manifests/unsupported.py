"""What a policy asks for and cannot be had here, by its name."""

from __future__ import annotations


class Unsupported(Exception):
    """A function or feature of a policy that is not evaluated. Its text names it: `the function url()`.

    Where it is raised the rule's result is `error`: what cannot be asked has not passed.
    """


class Undecided(Exception):
    """A rule met something that it cannot be answered with: a missing key, a wrong type. The result is `error`."""


class NotGiven(Undecided):
    """What would answer is in the cluster and was not given. No default of the policy stands for it."""
