"""The card of a submission: the predicted list, what the method sees, and how it learned."""

import datetime
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from repose.benchmark import VERSION
from repose.benchmark.lists import List
from repose.config.files import line_of, read
from repose.errors import ReposeError
from repose.methods.tracks import TRACKS, allowing
from repose.numbers import Numbers, expand
from repose.section import Name, Section

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MOST_TEXT, MOST_NUMBERS = 10_000, 1_000_000
_RANGES = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
OPTIONS = frozenset({"metric", "metrics", "centring", "centering", "scaling", "subset", "subsets"})


def _bounded(value: Any) -> Any:
    """Refuse a text that stands for more numbers than any dataset has, before it is expanded."""
    ends = _RANGES.findall(str(value)[:MOST_TEXT])
    if len(str(value)) > MOST_TEXT or sum(int(b or a) - int(a) + 1 for a, b in ends) > MOST_NUMBERS:
        raise ValueError(f"stands for more than {MOST_NUMBERS} numbers")
    return value


Bounded = Annotated[Numbers, BeforeValidator(_bounded)]


class Listed(Section):
    """The list that was predicted."""

    dataset: Name
    name: Name
    sha256: Sha256
    meshes_sha256: Sha256


class Method(Section):
    """The method: its name, version and authors."""

    name: Name
    version: Text
    paper: Text | None = None
    code: Text | None = None
    commit: Text | None = None
    licence: Text
    baseline: bool = False


class Trained(Section):
    """The meshes that the method learned from."""

    set: Name
    identities: Bounded
    poses: Bounded


class Training(Section):
    """The training of the method."""

    supervision: Literal["none", "unlabelled", "registered", "truth", "labels"]
    data: tuple[Trained, ...] = Field((), max_length=20)
    external: Text | None = None
    chosen_on_test: bool


class Ticks(Section):
    """The kinds of information that the method sees when it is tested."""

    identity_mesh: bool
    pose_mesh: bool
    identity_rest: bool
    pose_rest: bool
    correspondence: bool
    keypoints: Annotated[int, Field(ge=0)]
    skeleton: bool
    skin_weights: bool
    part_labels: bool
    several_frames: bool

    @property
    def ticked(self) -> list[str]:
        """Return the names of those that are ticked."""
        return [name for name in type(self).model_fields if getattr(self, name)]


class Card(Section):
    """The whole card of a submission."""

    benchmark: Literal["pt-mesh/1"]
    list: Listed
    track: Literal["P", "PC", "R", "RC", "S", "K"]
    order: Literal["identity", "none"] = "identity"
    method: Method
    training: Training
    inputs: Ticks
    alignment: Text
    parameters: Annotated[int, Field(ge=0)]
    hardware: Text
    seconds_per_triple: Annotated[float, Field(ge=0)]
    test_time_optimisation_seconds: Annotated[float, Field(ge=0)]
    failed: dict[str, Text] = Field({})
    contact: Text
    date: datetime.date

    def contaminated_by(self, listing: List) -> str | None:
        """Return which part of the test it learned from, or was selected by; None: none, according to the card."""
        if self.training.chosen_on_test:
            return "something was chosen by the test"
        identities, poses = listing.bodies_tested()
        for trained in self.training.data:
            if trained.set != listing.dataset:
                continue
            if both := identities & set(expand(trained.identities)):
                return f"identity {min(both)} of the test was trained on"
            if both := poses & set(expand(trained.poses)):
                return f"pose {min(both)} of the test was trained on"
        return None


def read_card(path: Path) -> Card:
    """Read and check a card.

    Raises:
        ReposeError: the card is missing, has an unknown key or an invalid value, or ticks what its track forbids.
    """
    if path.is_symlink():
        raise ReposeError("a link", path, "put the file itself there")
    if not path.is_file():
        raise ReposeError("no card", path, "`repose submit init` writes one to fill in")
    values = read(path)
    try:
        card = Card.model_validate(values or {})
    except ValidationError as error:
        raise _wrong(error, path) from None
    ticked = card.inputs.ticked
    if forbidden := [name for name in ticked if name not in TRACKS[card.track].allowed]:
        fits = allowing(ticked)
        raise ReposeError(
            f"track {card.track} forbids {forbidden[0]}",
            line_of([("inputs", forbidden[0])], [path]),
            f"track {fits} allows it" if fits else "no track allows all that is ticked",
        )
    return card


def _wrong(error: ValidationError, path: Path) -> ReposeError:
    """Return the first error; unknown keys come first, because a misspelt key is both unknown and missing.

    Empty keys are named all at once.
    """
    errors = error.errors(include_url=False)
    first = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    key = [part for part in first["loc"] if part != "[key]"]
    name = ".".join(map(str, key)) or "the card"
    empty = [".".join(map(str, e["loc"])) for e in errors if e["input"] is None]
    where = line_of([key], [path])
    if key == ["benchmark"]:
        return ReposeError(
            f"{first['input']!r} is no version of the benchmark", where, f"this one is {VERSION}"
        )
    if key == ["track"]:
        return ReposeError(f"{first['input']!r} is no track", where, f"tracks are {', '.join(TRACKS)}")
    if first["input"] is None and len(empty) > 1:
        return ReposeError(f"{len(empty)} keys are empty: {', '.join(empty)}", where, "fill them in")
    if first["type"] == "extra_forbidden":
        hint = (
            "metrics have no options: all that is handed in is scored alike" if key[-1] in OPTIONS else None
        )
        return ReposeError(f"unknown key {name!r}", where, hint)
    if first["type"] == "missing":
        return ReposeError(f"key {name!r} is missing", where)
    return ReposeError(f"{name}: {first['msg']}, not {str(first['input'])[:80]!r}", where, "fill it in")


def template(listing: List, meshes_sha256: str, track: str) -> str:
    """Return a card to fill in; a value left as `~` is refused if it is required."""
    allowed = TRACKS[track].allowed
    ticks: dict[str, int] = {name: name in allowed for name in Ticks.model_fields}
    ticks |= dict.fromkeys(("skeleton", "skin_weights", "part_labels"), False) | {"keypoints": 0}
    if track == "K":
        ticks |= {"identity_rest": False, "pose_rest": False}
    lines = "\n".join(f"  {name}: {str(value).lower()}" for name, value in ticks.items())
    return f"""\
benchmark: {VERSION}
list:
  dataset: {listing.dataset}
  name: {listing.name}
  sha256: "{listing.sha256}"
  meshes_sha256: "{meshes_sha256}"
track: {track}
order: identity            # none: the vertices have no order; only Chamfer's distance is scored, in rows of their own
method:
  name: ~                  # a-z, 0-9 and -
  version: ~
  paper: ~                 # may stay empty, and so may code and commit
  code: ~
  commit: ~
  licence: ~
  baseline: false          # true: it only copies an input
training:
  supervision: ~           # none, unlabelled, registered, truth or labels
  data: []                 # such as {{set: open-human, identities: 0-27, poses: 0-149}}
  external: ~              # other data, in words
  chosen_on_test: ~        # whether any test identity, pose or list was used to choose anything
inputs:                    # what the method sees when it is tested
{lines}
alignment: none            # what you did about positions, headings and sizes, in words
parameters: ~
hardware: ~
seconds_per_triple: ~
test_time_optimisation_seconds: 0
failed: {{}}                 # triples without a prediction, and why: {{{listing.rows[0].triple_id}: did not converge}}
contact: ~
date: ~                    # 2026-01-31
"""
