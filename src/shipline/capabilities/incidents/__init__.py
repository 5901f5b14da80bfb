"""Incidents: something went wrong, tied to the deployment that caused it.

Promises: every rollout that is turned back after it was exposed has exactly one incident, open until all traffic is
back; so has every rollout whose way back failed, until a person has ended it, and every way back that a person has
ordered, until it is done. What is written follows from the event
that led to it alone, so handling an event twice changes nothing. Effects: rows and events, no other.
"""

from shipline.capabilities.incidents.documents import incidents_document
from shipline.capabilities.incidents.queries import all_incidents, incident_of_rollout, open_incidents
from shipline.capabilities.incidents.usecases import ROLLOUT_KINDS, follow_rollout

__all__ = [
    "ROLLOUT_KINDS",
    "all_incidents",
    "follow_rollout",
    "incident_of_rollout",
    "incidents_document",
    "open_incidents",
]
