"""The configuration's section `report`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Le, MinLen


@dataclass(frozen=True)
class Report:
    """Tables, figures and pages."""

    formats: Annotated[tuple[Literal["svg", "pdf", "png"], ...], MinLen(1)]
    """formats that every figure is written in: svg, pdf, png"""
    listen_megabytes: Annotated[float, Gt(0), Le(1e6)]
    """largest page of continuations to listen to; prompts beyond it are left out"""
