"""The packages of one repository as a graph: who requires whom, and what a release of one means for the others."""

from shipline.capabilities.plans.graph.edges import Edge, circle_notes, components, edges_of
from shipline.capabilities.plans.graph.settle import Member, settle

__all__ = ["Edge", "Member", "circle_notes", "components", "edges_of", "settle"]
