"""Durable execution: steps as data, a pure `decide`, a journal, recovery and timers. Knows nothing of releases.

A workflow is a list of steps. Where a run of it stands is one row (`RunState`); a tick advances it by at most one
step: one transaction plans (and writes down that the step was started), then the step's action touches the world,
then one transaction writes down what came of it together with the rows and events that follow from it. Between
ticks nothing lives in memory. DBOS (behind `dbos_scheduler`) only says when to tick.
"""
