"""How charts look: altair charts that show themselves as SVG, without a network, readable in light and dark."""

from __future__ import annotations

from typing import Any

import altair as alt

#: Read well on white and on black, and can be told apart by colour-blind people (Okabe and Ito's palette).
BLUE, SKY, GREEN, ORANGE, RED, PINK, YELLOW = (
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#E69F00",
    "#D55E00",
    "#CC79A7",
    "#F0E442",
)
INK = "#808080"


#: What an axis of milliseconds names, as far as it goes.
_NAMED_MS = [0, *(digit * 10**power for power in range(7) for digit in (1, 2, 5))]


class Chart(alt.VConcatChart):
    """An altair chart that shows itself as SVG, whatever renderer is set."""

    def to_svg(self) -> str:
        """The picture."""
        import vl_convert

        # What is too much for a browser that gets the data is not too much for a picture.
        with alt.data_transformers.enable("default", max_rows=None):
            return str(vl_convert.vegalite_to_svg(self.to_json()))

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.vconcat)} panels>"


def milliseconds(title: str, worst_ms: float) -> alt.Y:
    """An axis on which a tick of a second and one of half a millisecond are both seen, and all between is named.

    Args:
        title: of the axis.
        worst_ms: the largest value on it.
    """
    beyond = next((named for named in _NAMED_MS[1:] if named >= worst_ms), _NAMED_MS[-1])
    scale = alt.Scale(type="symlog", constant=1, domain=[0, beyond], clamp=False)
    axis = alt.Axis(values=[named for named in _NAMED_MS if named <= beyond])
    return alt.Y("ms:Q", title=title, scale=scale, axis=axis)


def figure(*panels: alt.LayerChart | alt.FacetChart) -> Chart:
    """Panels below each other, in colours that are readable on any ground."""
    made: Chart = (
        # Room at the sides, for the fonts of whoever shows it may be wider than those it was measured by.
        Chart(vconcat=list(panels), background="transparent", padding={"left": 16, "right": 24, "top": 5, "bottom": 5})
        .resolve_scale(color="independent")
        .configure_view(stroke=None)
        .configure_axis(labelColor=INK, titleColor=INK, gridColor=INK, gridOpacity=0.25, domainColor=INK, tickColor=INK)
        .configure_legend(labelColor=INK, titleColor=INK)
        .configure_title(color=INK)
    )
    return made
