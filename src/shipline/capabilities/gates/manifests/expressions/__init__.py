"""CEL as Kubernetes speaks it: its own functions, a policy's variables, and no answer that is not one.

`compile_expression` refuses by name what is not implemented; `Expression.answer` gives a value or raises.
"""

from shipline.capabilities.gates.manifests.expressions.program import Expression, Variables, compile_expression

__all__ = ["Expression", "Variables", "compile_expression"]
