"""The configuration's sections `report`, `compare` and `publish`."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Gt, Le, MinLen

from scripts.common.bounds import Name, Pattern, Text, Unique


@dataclass(frozen=True)
class Report:
    """Tables, figures and pages."""

    formats: Annotated[tuple[Literal["svg", "pdf", "png"], ...], MinLen(1)]
    """formats that every figure is written in: svg, pdf, png"""
    listen_megabytes: Annotated[float, Gt(0), Le(1e6)]
    """largest page of continuations to listen to; prompts beyond it are left out"""


@dataclass(frozen=True)
class Compare:
    """What `snakemake compare` shows beside this experiment."""

    with_: Annotated[tuple[Name, ...], Unique()]
    """names of other finished experiments under results/, a column each; nothing of them is made again"""
    paper: bool
    """whether the published values of the paper are a column too"""


@dataclass(frozen=True)
class Publish:
    """Folders ready for a model hub, by `snakemake publish` (docs/publish.md). Nothing is uploaded."""

    license: Annotated[str, Pattern(r"^[a-z0-9][a-z0-9.+-]*$")] | None
    """licence of models and tokens, as hubs write it (cc-by-4.0); null: mit for the world, else it must be given"""
    data: Text | None
    """sentence on the speech behind them; null: known for world, libriheavy, librispeech, else it must be given"""
