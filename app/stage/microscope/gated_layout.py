"""The picture of a cell with gates: the memory straight along the top, the gates below it in columns. No torch.

Between the memory and the gates stand the valves that shape new content, below the gates the lines of x and of h, and
at the right, where there is a second state, the way from the memory to h.
"""

from __future__ import annotations

from app.stage.microscope.drawing import (
    BELT_Y,
    BOX,
    END_X,
    H_LINE,
    H_RISE,
    SUM_RADIUS,
    VALVE,
    X_LINE,
    X_RISE,
    Board,
    Point,
    Wiring,
)
from app.stage.microscope.names import FUNCTIONS, factor
from app.stage.microscope.step_graph import Operation, StepGraph, Way
from app.stage.microscope.threads import GAP, Threads
from engine.cells.structure import CellError

BELT_HALF = 13
EDGE = 8  # a belt ends inside the circle of a sum, which is narrower above and below
LEFT, FLOOR, CENTRE, WIDEST_STEP, WIDTH = 0, 380, 356, 180, 560
LEAST_ZONE = 36
PEEPHOLE = 16  # from a gate's box to the line of its peephole


class GatedLayout:
    """Places everything from left to right, and wires it on the way.

    Raises:
        CellError: if the step has something for which there is no place.
    """

    def __init__(self, graph: StepGraph, board: Board) -> None:
        self.graph, self.board, self.memory = graph, board, graph.memory
        self.has_outlet = self.memory != "h"
        count = len(graph.order) + self.has_outlet
        step = min(WIDEST_STEP, WIDTH / count)
        places = [CENTRE + step * (at - (count - 1) / 2) for at in range(count)]
        self.x = dict(zip(graph.order, places, strict=False))
        self.outlet_x = places[-1]
        self.threads = {letter: Threads(self._threads(letter)) for letter in graph.order}
        zone = max(LEAST_ZONE, *(each.height for each in self.threads.values()))
        self.gate_y = H_LINE - zone - BOX[1] / 2
        self.top, self.bottom = self.gate_y - BOX[1] / 2, self.gate_y + BOX[1] / 2
        result = graph.states[self.memory]
        self.contents = [way for way in result.ways if way is not graph.kept]
        if any(not way.source.startswith("gate ") for way in self.contents):
            raise CellError(f"{graph.cell.title}: the picture has no place for what is added to the memory.")
        self.first_sum = min((self.x[way.source.removeprefix("gate ")] for way in self.contents), default=END_X)

    def drawn(self) -> Wiring:
        """The whole picture."""
        self._lines()
        self._belt()
        for letter in self.graph.order:
            self._gate(letter)
        self._peephole_lines()
        for at, way in enumerate(self.contents):
            self._content(at, way)
        if self.has_outlet:
            self._outlet()
        else:
            self.board.up(BELT_Y)
        return self.board.wiring()

    # ---- columns

    def role(self, letter: str) -> str:
        """A gate's role, the same in cells that call it differently."""
        name = self.graph.cell.gates[self.graph.cell.letters.index(letter)]
        if name == self.graph.cell.retain_gate:
            return "keep"
        return "new" if name.endswith("candidate") or name == "hidden" else name.removesuffix("_gate")

    def _peepholes(self, letter: str) -> list[Way]:
        memories = (self.memory, f"{self.memory} old")
        ways = self.graph.gates[letter].ways
        return [way for way in ways if way.source in memories and [each.kind for each in way.operations] == ["vector"]]

    def _threads(self, letter: str) -> list[Way]:
        """What enters a gate from below: h at the left, x at the right."""
        peepholes = self._peepholes(letter)
        ways = [way for way in self.graph.gates[letter].ways if way not in peepholes]
        if any(way.source not in ("x", "h old") for way in ways):
            raise CellError(f"{self.graph.cell.title}: the picture has no place for what the gate {letter} reads.")
        return sorted(ways, key=lambda way: way.source)

    # ---- lines of x and of h, and the gates on them

    def _lines(self) -> None:
        ends = {"x": 0.0, "h old": 0.0}
        for letter, threads in self.threads.items():
            for way, offset in zip(threads.ways, threads.offsets, strict=True):
                ends[way.source] = max(ends[way.source], self.x[letter] + offset)
        if ends["h old"]:
            start = [(LEFT, H_LINE)] if self.has_outlet else [(H_RISE, BELT_Y), (H_RISE, H_LINE)]
            self.board.wire("line h", "h old", "hh line", *start, (ends["h old"], H_LINE))
            if self.has_outlet:
                self.board.end("h old", (-4, H_LINE - 12))
        if ends["x"]:
            self.board.wire("line x", "x", "xh line", (X_RISE, FLOOR), (X_RISE, X_LINE), (ends["x"], X_LINE))
            self.board.end("x", (X_RISE + 16, FLOOR - 6))

    def _gate(self, letter: str) -> None:
        role, x, threads = self.role(letter), self.x[letter], self.threads[letter]
        size = (threads.box_width, BOX[1])
        for way, offset in zip(threads.ways, threads.offsets, strict=True):
            self._thread(way, letter, x + offset)
        self.board.named(role, "box", f"gate {letter}", (x, self.gate_y), size)

    def _thread(self, way: Way, letter: str, x: float) -> None:
        """One term of a gate's sum, from its line up to the box, with what stands on its way."""
        of_x = way.source == "x"
        hue, role = ("xh" if of_x else "hh"), f"thread {'x' if of_x else 'h'} {self.role(letter)}"
        value, kind, y = way.source, f"{hue} line", float(X_LINE if of_x else H_LINE)
        drawn = Threads.drawn(way)
        gap = (H_LINE - self.bottom - sum(Threads.length(each) for each in drawn)) / (len(drawn) + 1)
        upper = H_LINE - gap
        for operation in way.operations:
            if operation not in drawn:
                value, kind = operation.value, hue
                continue
            along = Threads.length(operation)
            self.board.wire(role, value, kind, (x, y), (x, upper))
            self._on_thread(operation, letter, (x, upper - along / 2), f"{operation.kind} {role}")
            y, upper = upper - along, upper - along - gap
            value = operation.value
            kind = hue if operation.kind in ("product", "norm") else kind
        self.board.wire(role, value, kind, (x, y), (x, self.bottom))

    def _on_thread(self, operation: Operation, letter: str, at: tuple[float, float], role: str) -> None:
        across, along = Threads.across(operation), Threads.length(operation)
        if operation.kind == "valve":
            self.board.valve(role, operation.control, at, (across, along), upright=True)
            self._reset(operation, letter, at, across / 2, f"control {role}")
            return
        matrix = f"W_{'x' if operation.value.startswith('W_x') else 'h'}{letter}"
        label = {"product": matrix, "norm": "LN"}.get(operation.kind, operation.name)
        self.board.node(role, operation.kind, operation.value, label, at, (across, along))

    def _reset(self, operation: Operation, letter: str, at: tuple[float, float], half: float, role: str) -> None:
        """From a gate to a valve below another gate: beside the box if it is the neighbour, else above the boxes."""
        order, by = self.graph.order, operation.name
        side = 1 if self.x[by] > self.x[letter] else -1
        edge = self.x[letter] + side * self.threads[letter].box_width / 2
        gutter = side * (max(side * edge, side * at[0] + half) + 12)
        end = [(gutter, at[1]), (at[0] + side * half, at[1])]
        if abs(order.index(by) - order.index(letter)) == 1:
            start = [(self.x[by] - side * self.threads[by].box_width / 2, self.gate_y), (gutter, self.gate_y)]
        else:
            lane = self.top - 14
            start = [(self.x[by], self.top), (self.x[by], lane), (gutter, lane)]
        self.board.wire(role, operation.control, "control", *start, *end)

    def _peephole_lines(self) -> None:
        """From the memory down between the columns, into the gates' sides. The old memory stands left of all valves."""
        readers = [(letter, way) for letter in self.graph.order for way in self._peepholes(letter)]
        first = self.graph.order[0]
        trunk, lane = self._left(first) - PEEPHOLE, self.top - 14
        old = [letter for letter, way in readers if way.source != self.memory]
        if old:
            self.board.wire("peephole", f"{self.memory} old", "peephole", (trunk, BELT_Y), (trunk, lane))
        for letter, way in readers:
            left, y = self._left(letter), self.gate_y - 10
            turn = left - PEEPHOLE
            start: list[Point] = [(turn, BELT_Y)]
            if letter in old:
                start = [(trunk, lane)] if turn == trunk else [(trunk, lane), (turn, lane)]
            self.board.wire(f"peephole {self.role(letter)}", way.value, "peephole", *start, (turn, y), (left, y))

    def _left(self, letter: str) -> float:
        """The left side of a gate's box."""
        return self.x[letter] - self.threads[letter].box_width / 2

    # ---- the memory

    def _belt(self) -> None:
        board, memory = self.board, self.memory
        value, x = "", float(LEFT)
        if self.graph.kept is not None:
            value = self.graph.kept.source
            board.end(value, (-4, BELT_Y - 20))
            for operation, place in zip(self.graph.kept.operations, self._kept_places(), strict=True):
                x = self._on_belt(operation, value, x, place)
                value = operation.value
            if not self.graph.kept.operations:
                board.node("back", "back", "back", "◀ × 1", ((LEFT + self.first_sum) / 2, BELT_Y - 40))
        total, result = len(self.contents) + bool(value), self.graph.states[memory]
        places = sorted(self.x[way.source.removeprefix("gate ")] for way in self.contents)
        for place in places:
            if total > 1 and (value or place != places[0]):
                board.wire("belt", value, "belt", (x, BELT_Y), (place - EDGE, BELT_Y))
                board.node("sum", "sum", result.total, "", (place, BELT_Y), (2 * SUM_RADIUS, 2 * SUM_RADIUS))
                value, x = result.total, place + EDGE
            else:
                value, x = result.total, place
        for operation in result.after:
            x = self._on_belt(operation, value, x, x + 60)
            value = operation.value
        board.wire("belt new", memory, "belt", (x, BELT_Y), (END_X, BELT_Y))
        board.end(memory, (690, BELT_Y - 20))

    def _kept_places(self) -> list[float]:
        """A valve stands above its gate, where that is left of the first sum; else between its neighbours."""
        places: list[float] = []
        assert self.graph.kept is not None
        for operation in self.graph.kept.operations:
            last = places[-1] if places else LEFT
            place = self.x.get(operation.name, 0.0)
            places.append(place if last < place < self.first_sum else (last + self.first_sum) / 2)
        return places

    def _on_belt(self, operation: Operation, value: str, x: float, place: float) -> float:
        """Draw an operation on the memory's way; returns where it ends."""
        half = (VALVE[1] if operation.kind == "valve" else BOX[0]) / 2
        self.board.wire("belt", value, "belt", (x, BELT_Y), (place - half, BELT_Y))
        if operation.kind == "valve":
            self.board.valve("valve keep", operation.control, (place, BELT_Y), VALVE, upright=False)
            below = (place, BELT_Y + VALVE[0] / 2)
            start = (self.x[operation.name], self.top)
            bend = [] if start[0] == place else [(start[0], self.top - 14), (place, self.top - 14)]
            self.board.wire("control keep", operation.control, "control", start, *bend, below)
            label, ng = (f"◀ × {factor(each.value(operation.control))}" for each in (self.board.names, self.board.ng))
            self.board.node("back", "back", operation.control, label, (place, BELT_Y - 40), ng=ng)
        else:
            label = FUNCTIONS.get(operation.name, operation.name) or "LN"
            self.board.node("belt box", operation.kind, operation.value, label, (place, BELT_Y), BOX)
        return place + half

    def _content(self, at: int, way: Way) -> None:
        """New content: from its box up to the memory, through valves."""
        letter = way.source.removeprefix("gate ")
        x, y, ceiling = self.x[letter], self.top, BELT_Y + SUM_RADIUS
        value, role = way.source, self.role(letter)
        count = len(way.operations)
        shift = 30 * at  # controls of several columns do not share a height
        for number, operation in enumerate(way.operations):
            place = self.top - (self.top - ceiling) * (number + 1) / (count + 1) - shift
            half = VALVE[1] / 2
            self.board.wire(f"content {role}", value, "inner", (x, y), (x, place + half))
            if operation.kind == "valve":
                self.board.valve(f"valve {role}", operation.control, (x, place), VALVE, upright=True)
                self._side_control(operation, (x, place), f"control {role}")
            else:
                label = FUNCTIONS.get(operation.name, operation.name) or "LN"
                self.board.node(f"content box {role}", operation.kind, operation.value, label, (x, place), VALVE)
            value, y = operation.value, place - half
        alone = self.graph.kept is None and len(self.contents) == 1
        self.board.wire(f"content {role}", value, "inner", (x, y), (x, BELT_Y if alone else ceiling))

    def _side_control(self, operation: Operation, at: tuple[float, float], role: str) -> None:
        """From a gate up, or straight to the side, into a valve that stands upright."""
        by = operation.name
        side = -1 if self.x[by] < at[0] else 1
        end = (at[0] + side * VALVE[0] / 2, at[1])
        if self.top <= at[1] <= self.bottom:
            start = [(self.x[by] - side * self.threads[by].box_width / 2, at[1])]
        else:
            start = [(self.x[by], self.top), (self.x[by], at[1])]
            if self._has_riser(by):  # its line to the memory's valve passes here
                start = start[1:]
        self.board.wire(role, operation.control, "control", *start, end)

    def _has_riser(self, letter: str) -> bool:
        """True if a gate's line runs straight up to the memory."""
        operations = self.graph.kept.operations if self.graph.kept else ()
        places = zip(operations, self._kept_places() if operations else (), strict=True)
        return any(each.kind == "valve" and each.name == letter and place == self.x[letter] for each, place in places)

    def _outlet(self) -> None:
        """From the memory down to h."""
        result = self.graph.states["h"]
        if len(result.ways) != 1 or result.after or result.ways[0].source != self.memory:
            raise CellError(f"{self.graph.cell.title}: the picture has no place for how h is made.")
        (way,) = result.ways
        x, y, value = self.outlet_x, float(BELT_Y), way.source
        for operation, place in zip(way.operations, self._outlet_places(way), strict=True):
            along = VALVE[1] if operation.kind == "valve" else Threads.outlet_length(operation)
            self.board.wire("outlet", value, "inner", (x, y), (x, place - along / 2))
            if operation.kind == "valve":
                self.board.valve("valve output", operation.control, (x, place), VALVE, upright=True)
                self._side_control(operation, (x, place), "control output")
            else:
                kind = "box" if operation.kind == "function" else operation.kind
                label = FUNCTIONS.get(operation.name, operation.name) or "LN"
                self.board.node(f"outlet {kind}", kind, operation.value, label, (x, place), (BOX[0], along))
            y, value = place + along / 2, operation.value
        self.board.wire("h", "h", "state", (x, y), (x, H_LINE), (END_X, H_LINE))
        self.board.up(H_LINE)
        self.board.end("h", (690, H_LINE - 12))

    def _outlet_places(self, way: Way) -> list[float]:
        """Heights of what stands on the way to h: the last valve level with the gates, the rest evenly above it."""
        operations = list(way.operations)
        ends_in_valve = bool(operations) and operations[-1].kind == "valve"
        floor = self.gate_y - VALVE[1] / 2 if ends_in_valve else H_LINE - GAP
        above = operations[:-1] if ends_in_valve else operations
        lengths = [VALVE[1] if each.kind == "valve" else Threads.outlet_length(each) for each in above]
        gap = (floor - BELT_Y - BELT_HALF - sum(lengths)) / (len(above) + 1)
        places, y = [], float(BELT_Y + BELT_HALF)
        for length in lengths:
            places.append(y + gap + length / 2)
            y += gap + length
        return [*places, self.gate_y] if ends_in_valve else places
