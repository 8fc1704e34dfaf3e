"""What the picture of a cell is made of: nodes and wires with their places. No torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from app.stage.microscope.names import BEFORE, NOW, Names

Point = tuple[float, float]
Extent = tuple[float, float, float, float]
"""Left, top, right, bottom."""

VIEW = (-8, 4, 800, 382)
"""Left, top, width and height of the picture."""
CARD = (22, 16, 638, 336)
"""The same of the cell's own outline."""
BELT_Y, H_LINE, X_LINE = 84, 312, 328
X_RISE, H_RISE, UP_X, END_X = 60, 36, 680, 740
SUM_RADIUS = 16
BOX = (56, 48)
VALVE, THREAD_VALVE = (44, 28), (36, 24)
"""Across the wire and along it."""
LETTER_WIDTH, TEXT_ABOVE, TEXT_BELOW = 8.6, 13, 4
"""Of the picture's labels, for room around them."""
TEXTS = ("end", "note", "back", "up")


@dataclass(frozen=True)
class Node:
    """Something that stands in the picture.

    Args:
        id: its role, the same in every cell that has this role, so that a change of cell can move it.
        kind: "box" (a function), "product", "vector", "norm", "factor", "valve", "sum"; "end" (name and number of a
            state or an input), "up" (where the output goes), "note" (a name), "back" (what a gradient is multiplied
            by).
        value: id of the value that it shows; empty without one.
        label: its text; an underscore lowers what follows. ng: the same in the names of Andrew Ng's course.
        x, y: its centre; of a text where its line begins ("back": its middle), and its baseline.
        width, height: of what is not a text. upright: of a valve: the wire runs from below to above.
    """

    id: str
    kind: str
    value: str
    label: str
    x: float
    y: float
    width: float = 0
    height: float = 0
    upright: bool = False
    ng: str = ""

    @property
    def extent(self) -> Extent:
        """Where it stands; of a text with room for a number behind the name."""
        if self.kind in TEXTS:
            letters = max(map(_letters, (self.label, self.ng)))
            letters += len(" = −0.001") if self.value and self.kind in ("end", "back") else 0
            width = letters * LETTER_WIDTH
            left = self.x - width / 2 if self.kind == "back" else self.x
            return left, self.y - TEXT_ABOVE, left + width, self.y + TEXT_BELOW
        return self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2


def _letters(text: str) -> float:
    """The width of a text in letters; lowered ones are narrower."""
    return sum(0.65 if sign in NOW + BEFORE else 1 for sign in text)


@dataclass(frozen=True)
class Wire:
    """A value on its way.

    Args:
        id: its role, as of a node. value: id of the value that flows.
        kind: "belt" (memory), "state", "xh" and "hh" (products), "xh line" and "hh line" (what they read), "control"
            (of a valve), "peephole", "inner" (between operations), "up" (to the output).
        points: corners of the path, in the direction of flow.
    """

    id: str
    value: str
    kind: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Wiring:
    """The picture of a cell without numbers."""

    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a message."""
        return {"view": VIEW, "card": CARD, **asdict(self)}


@dataclass
class Board:
    """Collects nodes and wires; makes ids unique."""

    names: Names
    ng: Names
    nodes: list[Node] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)

    def wire(self, role: str, value: str, kind: str, *points: Point) -> None:
        """Add a wire; one without length is left out."""
        if len(set(points)) > 1:
            self.wires.append(Wire(self._unique(role, [each.id for each in self.wires]), value, kind, points))

    def node(self, role: str, kind: str, value: str, label: str, at: Point, size: Point = (0, 0), **more: Any) -> None:
        """Add a node."""
        role = self._unique(role, [each.id for each in self.nodes])
        self.nodes.append(Node(role, kind, value, label, *at, *size, **more))

    def named(self, role: str, kind: str, value: str, at: Point, size: Point = (0, 0), **more: Any) -> None:
        """Add a node that is labelled with the name of its value."""
        self.node(role, kind, value, self.names.value(value), at, size, ng=self.ng.value(value), **more)

    def end(self, value: str, at: Point) -> None:
        """Add name and number of a state, or of x."""
        if value == "x":
            self.node("x", "end", "x", "xₜ", at)
        else:
            self.named(value, "end", value, at)

    def up(self, y: float) -> None:
        """Let h out, from a wire at this height."""
        self.wire("up", "h", "up", (UP_X, y), (UP_X, 22))
        self.node("up", "up", "", "to ŷₜ", (UP_X + 10, 30))

    def valve(self, role: str, control: str, at: Point, size: Point, *, upright: bool) -> None:
        """Add a valve; `size` is across and along the wire. One that opens as its gate shuts has a name beside it,
        except on the belt, where the gradient's factor says it."""
        across, along = size
        self.node(role, "valve", control, "", at, (across, along) if upright else (along, across), upright=upright)
        if control.startswith("1 - ") and upright:
            self.named(f"{role} name", "note", control, (at[0] + across / 2 + 6, at[1] + 5))

    def wiring(self) -> Wiring:
        """What has been collected."""
        return Wiring(tuple(self.nodes), tuple(self.wires))

    @staticmethod
    def _unique(role: str, taken: list[str]) -> str:
        number = sum(each == role or each.startswith(f"{role} #") for each in taken)
        return f"{role} #{number + 1}" if number else role
