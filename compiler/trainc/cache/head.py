"""The head: knows the table and who holds which rows.

In: a source, the workers' addresses, and readers' wishes (Flight descriptors). Out: ``FlightInfo``
with the table's real schema and one ticket for each worker that holds rows of the reader's share.
While a range is missing it refuses, and says which and why.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any, Final

from pyarrow import flight

from trainc.cache import request as requests
from trainc.cache.coordinator import Coordinator
from trainc.cache.plan import Plan
from trainc.cache.request import Request
from trainc.cache.security import Security
from trainc.cache.serving import json_result, status
from trainc.cache.shard import Range
from trainc.cache.ticket import VERSION, Ticket, encode_legacy

logger = logging.getLogger(__name__)

ACTIONS: Final = [
    ("health", "Whether every row of the table is held."),
    ("stats", "Table, snapshot, plan, workers and what is missing, as JSON."),
    (
        "reload",
        'Look at the source again; body {"force": true} reads it again though it is the same.',
    ),
]


class Head(flight.FlightServerBase):
    """The Flight server of the head."""

    def __init__(self, location: str, security: Security, coordinator: Coordinator) -> None:
        """Starts to listen.

        Args:
            location: ``grpc://HOST:PORT`` or ``grpc+tls://HOST:PORT``; port 0 for any free one.
            security: TLS and token.
            coordinator: Plans and looks after the workers.
        """
        super().__init__(location, **security.server_arguments())
        self._scheme = security.scheme
        self._coordinator = coordinator

    def get_flight_info(self, _: Any, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        """The tickets of a reader's share."""
        with status():
            form, request = _read(descriptor)
            plan = self._coordinator.whole_plan()
            self._check(request, plan)
            if form == "legacy":
                return self._legacy_info(descriptor, request, plan)
            return self._info(descriptor, request, plan)

    def get_schema(self, _: Any, descriptor: flight.FlightDescriptor) -> flight.SchemaResult:
        """The table's columns; known before its rows are held."""
        with status():
            _, request = _read(descriptor)
            plan = self._coordinator.plan()
            self._check(request, plan)
            return flight.SchemaResult(plan.survey.schema)

    def list_flights(self, _: Any, __: bytes) -> Iterator[flight.FlightInfo]:
        """The one table that is here."""
        plan = self._coordinator.whole_plan()
        path = plan.survey.source.name.split(".")
        yield self._info(flight.FlightDescriptor.for_path(*path), Request(), plan)

    def list_actions(self, _: Any) -> list[tuple[str, str]]:
        """The actions, each with a sentence."""
        return ACTIONS

    def do_action(self, _: Any, action: flight.Action) -> list[flight.Result]:
        """Answer an action with one JSON object."""
        with status():
            if action.type == "health":
                return json_result({"ready": self._coordinator.ready})
            if action.type == "reload":
                body = action.body.to_pybytes()
                self._coordinator.reload(bool(body and json.loads(body).get("force")))
            elif action.type != "stats":
                raise KeyError(f"no action {action.type}")
            return json_result(self._coordinator.state())

    def _check(self, request: Request, plan: Plan) -> None:
        survey = plan.survey
        if request.dataset not in ("", survey.source.name):
            raise KeyError(f"no table {request.dataset} here, only {survey.source.name}")
        if request.snapshot not in ("", survey.snapshot):
            raise KeyError(f"no snapshot {request.snapshot} here, only {survey.snapshot}")

    def _info(
        self, descriptor: flight.FlightDescriptor, request: Request, plan: Plan
    ) -> flight.FlightInfo:
        tickets = list(_tickets(request, plan))
        endpoints = [
            flight.FlightEndpoint(ticket.encode(), [self._location(worker)])
            for ticket in tickets
            for worker in self._holding(ticket, plan)
        ]
        rows = sum(ticket.positions.rows for ticket in tickets)
        return flight.FlightInfo(
            plan.survey.schema,
            descriptor,
            endpoints,
            total_records=rows,
            total_bytes=round(rows * plan.survey.row_bytes),
            ordered=request.seed is None,
            app_metadata=self._map(tickets, plan),
        )

    def _legacy_info(
        self, descriptor: flight.FlightDescriptor, request: Request, plan: Plan
    ) -> flight.FlightInfo:
        """As the reference answers, but narrowed, in order, and with the table's schema."""
        endpoints, whole = [], b""
        for positions in request.positions(plan.rows):
            whole = encode_legacy(positions.start, positions.stop - 1)
            for worker, held in enumerate(plan.ranges):
                part = positions.within(held)
                if part.rows:
                    ticket = encode_legacy(part.start, part.stop - 1)
                    endpoints.append(flight.FlightEndpoint(ticket, [self._location(worker)]))
        return flight.FlightInfo(
            plan.survey.schema, descriptor, endpoints, -1, -1, False, app_metadata=whole
        )

    def _location(self, worker: int) -> str:
        return f"{self._scheme}://{self._coordinator.followers[worker].address}"

    def _holding(self, ticket: Ticket, plan: Plan) -> Iterator[int]:
        """The workers that hold rows of a ticket; all of them where the order is shuffled."""
        for worker, held in enumerate(plan.ranges):
            wanted = ticket.positions if ticket.seed is None else Range(0, plan.rows)
            if wanted.within(held).rows:
                yield worker

    def _map(self, tickets: list[Ticket], plan: Plan) -> bytes:
        """What our reader needs to put the streams together."""
        workers = [[self._location(i), *held] for i, held in enumerate(plan.ranges)]
        fields = {
            "v": VERSION,
            "rows": plan.rows,
            "workers": workers,
            "tickets": [ticket.encode().decode() for ticket in tickets],
        }
        return json.dumps(fields).encode()


def _read(descriptor: flight.FlightDescriptor) -> tuple[requests.Form, Request]:
    if descriptor.descriptor_type == flight.DescriptorType.PATH:
        return requests.from_path(descriptor.path)
    return "command", requests.from_command(descriptor.command)


def _tickets(request: Request, plan: Plan) -> Iterator[Ticket]:
    block = request.block or plan.shuffle_block
    for positions in request.positions(plan.rows):
        yield Ticket(
            start=positions.start,
            stop=positions.stop,
            dataset=plan.survey.source.name,
            snapshot=plan.survey.snapshot,
            cache=plan.cache,
            seed=request.seed,
            epoch=request.epoch,
            block=block,
        )
