"""The same motif from Python.

evo run --space mse --plugin my_motif.py --set 'mse.motifs=["FE","FI","DI"]'
"""

from evo_core import Motif, hookimpl


@hookimpl
def evo_components():
    yield Motif(
        name="DI",
        summary="disinhibition: one inhibitory node silences another",
        nodes=("a = +(x*)", "i = +(a)", "j = +(a) -(i)", "b = +(a) -(j) + id(x0)"),
        output=("a", "b"),
    )
