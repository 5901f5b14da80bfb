"""Taking a public version back: order it, ask every place that has it, write down what each did and what it cannot.

The places are a mark in git, which comes first (see `marks`), the registries, the release's page on the forge, the git
tags that follow the releases and, where it was asked for, a pull request that reverts the changes. The release is
yanked from the moment that the order is written: nothing deploys it any more, whatever a place that is down makes the
rest wait for.
"""

from shipline.capabilities.releases.yank.adopting import adopt_release
from shipline.capabilities.releases.yank.naming import named_release
from shipline.capabilities.releases.yank.ordering import YankOrder, order_yank, order_yank_after_rollback, yank_subject
from shipline.capabilities.releases.yank.revert import check_revert
from shipline.capabilities.releases.yank.steps import YankSteps
from shipline.capabilities.releases.yank.verifying import verify_yank

__all__ = [
    "YankOrder",
    "YankSteps",
    "adopt_release",
    "check_revert",
    "named_release",
    "order_yank",
    "order_yank_after_rollback",
    "verify_yank",
    "yank_subject",
]
