"""Events to documents: a small iterative builder.

In comes libyaml's stream of events, out go documents. It never recurses over the input, so no
nesting can break it, and the inner loop does nothing that a plain document does not need.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from trainc import codes
from trainc.budget import CONTAINER, DOCUMENT, EVENT, Budget
from trainc.errors import Problem, field_path
from trainc.source import libyaml, scalar
from trainc.source.alias import MAX_DEPTH, Aliases, merge, reached
from trainc.source.document import MAX_COLUMN, Document, pack, unpack
from trainc.source.level import EXPECT, ITEM, Level, path_of
from trainc.source.libyaml import SCALAR_LENGTH, Event, RefusedError, TooManyError
from trainc.source.words import KEYS, MERGE, SKIP, WORDS, Sign

_MOST_PROBLEMS: Final = 100  # of a file: with more it is something else than it seems to be
_LONGEST: Final = 300  # letters of a message, which may quote the file


class Builder:
    """Puts the documents of one file together, one event at a time.

    Attributes:
        documents: What was read.
        problems: What is wrong with it.
        line: The line of the file on which the stream of events begins, from 1.
        document_line: The line on which the document at hand begins, from 1.
    """

    def __init__(self, file: str, budget: Budget) -> None:
        """Begins with no documents; takes what is left of the build."""
        self.file = file
        self._budget = budget
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self.line = 1
        self.document_line = 0
        self._index = -1
        self._stack: list[Level] = []
        self._marks: dict[int, list[int]] = {}
        self._aliases = Aliases(self._marks)
        self._odd: list[tuple[Any, Sign, int]] = []  # mappings, signs for keys in them, places
        self._tidy = True  # no container was thrown away
        self._seen = self._first = 0  # events of the stream, and those before the document

    def build(self, events: Iterable[Event]) -> None:
        """Takes every event of a stream.

        Raises:
            RefusedError: A document cannot go on.
        """
        words, names, line, odd, stack = WORDS, KEYS, self.line, self._odd, self._stack
        end, mapping = libyaml.END, libyaml.MAPPING
        node: Any = []
        places: list[int] = []
        key: Any = ITEM
        stack.clear()
        odd.clear()
        most, seen = max(self._budget.left // EVENT, 0), -1
        for seen, event in enumerate(islice(events, most)):
            if len(event) != SCALAR_LENGTH:
                kind = event[0]
                if kind == end and not odd:
                    node, places, key = stack.pop()
                    key = key if key is ITEM else EXPECT
                elif kind == mapping:
                    node, places, key = self._open({}, event, (node, places, key))
                else:
                    self._seen = seen
                    node, places, key = self._structure(event, (node, places, key))
                continue
            anchor, tag, _, text, start, _, style = event
            if key is EXPECT:
                key = text if style else names[text]
                if key.__class__ is not str or key in node or tag or anchor:
                    key = self._odd_key(event, node, places)
                else:
                    place = start.column + 1 if start.column < MAX_COLUMN else MAX_COLUMN
                    places.append(start.line + line << 12 | place)
                continue
            value = text if style else words[text]
            if value is SKIP or tag or anchor:
                value = self._odd_value(event, node, key)
            if key is ITEM:
                node.append(value)
                places.append(pack(start.line + line, start.column + 1))
            else:
                node[key] = value
                key = EXPECT
        # Paid for afterwards, as counting on each way is dear; there were not more than allowed.
        self._budget.pay(EVENT * (seen + 1 if seen + 1 < most else most + 1))

    def state(self) -> tuple[int, int, int, int]:
        """Returns how far the builder is."""
        return len(self.documents), len(self.problems), self._index, self.document_line

    def restore(self, state: tuple[int, int, int, int]) -> None:
        """Goes back to where the builder was."""
        documents, problems, self._index, self.document_line = state
        del self.documents[documents:], self.problems[problems:]

    def report(self, message: str, place: int, field: str = "", hint: str = "") -> None:
        """Adds a problem.

        Raises:
            TooManyError: It was one too many.
        """
        mark = unpack(self.file, place)
        if len(self.problems) >= _MOST_PROBLEMS:
            self.problems.append(Problem("too many problems, not read on", codes.SYNTAX, mark))
            raise TooManyError
        self.problems.append(
            Problem(message[:_LONGEST], codes.SYNTAX, mark, field=field, hint=hint)
        )

    def _structure(self, event: Event, level: Level) -> Level:
        """Opens or closes what holds other nodes; returns the level that is filled from now on."""
        kind = event[0]
        if kind == libyaml.SEQUENCE:
            return self._open([], event, level)
        if kind == libyaml.END:
            if self._odd[-1][0] is level[0]:
                self._settle(level)
            node, places, key = self._stack.pop()
            return node, places, key if key is ITEM else EXPECT
        if kind == libyaml.ALIAS:
            return self._alias(event, level)
        if kind == libyaml.DOCUMENT_START:
            self._index += 1
            self._budget.pay(DOCUMENT)
            self.document_line = event[1].line + self.line
            self._marks = {}
            self._aliases = Aliases(self._marks)
            self._first, self._tidy = self._seen, True
            return [], [], ITEM
        if kind == libyaml.DOCUMENT_END and level[0][0] is not None:
            root, marks = level[0][0], self._marks
            marks = marks if self._tidy else reached(root, marks)
            self.documents.append(Document(self.file, self._index, root, marks, level[1][0]))
        return level

    def _open(self, child: Any, event: Event, level: Level) -> Level:
        """Puts a new container into the node at hand and goes down into it."""
        _, start, anchor, tag = event
        if level[2] is EXPECT:
            raise RefusedError("a mapping key must be a scalar", start.line, start.column)
        if len(self._stack) >= MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise RefusedError(message, start.line, start.column)
        if tag and tag not in scalar.CONTAINER_TAGS[child.__class__]:
            self._unknown_tag(tag, self._place(start), level)
        if anchor:
            self._aliases.nodes[anchor] = child
        self._budget.pay(CONTAINER)
        inside: list[int] = []
        self._marks[id(child)] = inside
        self._stack.append(level)
        self._put(child, start, level)
        return child, inside, EXPECT if child.__class__ is dict else ITEM

    def _put(self, value: Any, start: Any, level: Level) -> None:
        node, places, key = level
        if key is ITEM:
            node.append(value)
            places.append(self._place(start))
        else:
            node[key] = value

    def _alias(self, event: Event, level: Level) -> Level:
        """Puts a copy of an anchored node where its alias stands."""
        _, start, anchor, _ = event
        node, places, key = level
        seen = self._seen - self._first
        if anchor not in self._aliases.nodes:
            raise RefusedError(f"unknown anchor {anchor!r}", start.line, start.column)
        known = self._aliases.nodes[anchor]
        if known.__class__ is tuple:
            *_, tag, implicit, text, _, end, style = known
            self._aliases.spend(text, seen, event)
            scalar_event = (None, tag, implicit, text, start, end, style)
            if key is EXPECT:
                return node, places, self._odd_key(scalar_event, node, places)
            self._put(self._odd_value(scalar_event, node, key), start, level)
        elif key is EXPECT:
            raise RefusedError("a mapping key must be a scalar", start.line, start.column)
        elif known is node or any(known is parent for parent, _, _ in self._stack):
            raise RefusedError(f"anchor {anchor!r} contains itself", start.line, start.column)
        else:
            copy = self._aliases.copy(known, len(self._stack) + 1, seen, event)
            self._put(copy, start, level)
        return node, places, key if key is ITEM else EXPECT

    def _odd_key(self, event: Event, node: dict[Any, Any], places: list[int]) -> Any:
        """Returns the key to use for one that is tagged, anchored, refused, ``<<`` or a duplicate.

        A merge and a refused key get a sign for a key, which is taken out again when the mapping
        ends; signs have no place, so the places stay in step with the other keys.
        """
        place = self._place(event[4])
        name = self._key_name(event, node, places)
        if name.__class__ is str and name not in node:
            places.append(place)
            return name
        sign = MERGE if name is MERGE and MERGE not in node else SKIP
        self._odd.append((node, sign, place))
        self._tidy = False
        if sign is SKIP and name is not SKIP:
            self._duplicate(name, (node, places, name), place)
        return sign

    def _key_name(self, event: Event, node: dict[Any, Any], places: list[int]) -> Any:
        """The key as a string, or the sign it stands for."""
        anchor, tag, _, text, start, _, style = event
        if anchor:
            self._aliases.nodes[anchor] = event
        if tag is None:
            name = text if style else KEYS[text]
        elif tag == scalar.MERGE_TAG and text == "<<":
            name = MERGE
        else:
            name = scalar.key_text(self._tagged(event, (node, places, text)))
        if name is None or name is SKIP:
            field = field_path(self._path((node, places, text)))
            self.report(f"{text or 'null'} cannot be a key", self._place(start), field, "quote it")
            return SKIP
        return name

    def _duplicate(self, name: Any, level: Level, place: int) -> None:
        node, places, _ = level
        path = field_path(self._path((node, places, name)))
        if name is MERGE:
            first = next(at for odd, sign, at in self._odd if odd is node and sign is MERGE)
            name = "<<"
        else:
            first = places[[key for key in node if key.__class__ is str].index(name)]
        mark = unpack(self.file, first)
        message = f"duplicate key {name!r}, first set at {mark.line}:{mark.column}"
        self.report(message, place, path, "remove one of the two")

    def _odd_value(self, event: Event, node: Any, key: Any) -> Any:
        """Returns the value of a scalar that is tagged, anchored or has no place in JSON."""
        anchor, tag, _, text, start, _, style = event
        if anchor:
            self._aliases.nodes[anchor] = event
        if tag is not None:
            value = scalar.as_json(self._tagged(event, (node, [], key)))
        else:
            value = text if style else scalar.resolve(text)
        if not scalar.is_json(value):
            field, hint = field_path(self._path((node, [], key))), "quote it if text is meant"
            self.report(f"JSON has no number {text}", self._place(start), field, hint)
            return None
        return value

    def _tagged(self, event: Event, level: Level) -> scalar.Scalar:
        """Returns the value of a scalar with an explicit tag; its text where the tag is wrong."""
        tag, text, start = event[1], event[3], event[4]
        try:
            if tag in scalar.TAGS:
                return scalar.tagged(tag, text)
            self._unknown_tag(tag, self._place(start), level)
        except ValueError as error:
            self.report(str(error), self._place(start), field_path(self._path(level)))
        return str(text)

    def _unknown_tag(self, tag: str, place: int, level: Level) -> None:
        field = field_path(self._path(level))
        hint = "remove the tag: Kubernetes would drop it"
        self.report(f"unknown tag {scalar.short_tag(tag)}", place, field, hint)

    def _settle(self, level: Level) -> None:
        """Takes the signs out of a mapping that ends, and puts what ``<<`` names in."""
        node, places, _ = level
        signs = {}
        while self._odd and self._odd[-1][0] is node:
            _, sign, place = self._odd.pop()
            signs[sign] = place
        node.pop(SKIP, None)
        if MERGE not in signs:
            return
        try:
            # Readers differ on which of two counts where the merge comes after the key.
            for name in merge(node, places, MERGE, self._marks):
                self._duplicate(name, level, signs[MERGE])
        except ValueError as error:
            self.report(str(error), signs[MERGE], field_path(self._path(level)))

    def _path(self, level: Level) -> list[str | int]:
        """The path of the entry at hand, from the document's root."""
        return path_of([*self._stack, level])

    def _place(self, start: Any) -> int:
        return pack(start.line + self.line, start.column + 1)
