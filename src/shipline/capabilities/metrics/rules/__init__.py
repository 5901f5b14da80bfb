"""From events to the five DORA figures, in three steps, each pure: what happened (`history`), how each deployment
went (`judgement`), the figures of a window (`figures`)."""

from shipline.capabilities.metrics.rules.figures import Day, Dora, Figure, LeftOut, measure, quantile
from shipline.capabilities.metrics.rules.history import KINDS, History, tell
from shipline.capabilities.metrics.rules.judgement import Judged, judge
from shipline.capabilities.metrics.rules.report import Report, Service, make_report
from shipline.capabilities.metrics.rules.window import Window, last_days

__all__ = [
    "KINDS",
    "Day",
    "Dora",
    "Figure",
    "History",
    "Judged",
    "LeftOut",
    "Report",
    "Service",
    "Window",
    "judge",
    "last_days",
    "make_report",
    "measure",
    "quantile",
    "tell",
]
