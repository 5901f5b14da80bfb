"""From what a forge sent to an event of ours. Pure, and tolerant: what is not known is nothing to us, and no error."""

from shipline.capabilities.automation.reading.kinds import (
    FORGES,
    Unknown,
    event_name,
    forge_of_headers,
    read_event,
)

__all__ = ["FORGES", "Unknown", "event_name", "forge_of_headers", "read_event"]
