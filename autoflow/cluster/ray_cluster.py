"""A Ray cluster: joined, looked at, and asked for processes and calls between them. The only file that imports Ray.

The cluster asks for a token (Ray's own, `RAY_AUTH_MODE=token`). It is the wall: whoever has it can run code on every
node. Ray does not encrypt what it sends.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import socket
import threading
from contextlib import suppress
from typing import Any

from autoflow.cluster.carrier import Carrier
from autoflow.cluster.placing import Needs, Node
from autoflow.errors import AutoFlowError, ModelUnavailable, SettingsError
from autoflow.settings import environment_default
from autoflow.tools.threads import in_thread

EXTRA = "pip install -r requirements-ray.txt -c constraints.txt"
AUTO = "auto"  # the cluster that this machine belongs to
JOIN_S = 60.0
PROBE_S = 5.0  # for an address to take a connection: Ray itself waits for one that never does
TOKEN_HINT = (
    "All machines of a cluster have the same token, in ~/.ray/auth_token or in RAY_AUTH_TOKEN. "  # noqa: S105  (no token)
    "Make one with `ray get-auth-token --generate` before the cluster is started."
)
_joining = threading.Lock()


class Gone(Exception):
    """A carrier does not answer any more: its process or its node is dead, or out of reach."""


def check_address(address: str) -> str:
    """The address, after a look at its form and whether Ray is installed.

    Raises SettingsError: Ray is not installed; it is neither `auto` nor HOST:PORT.
    """
    if not _installed():
        raise SettingsError("Ray is not installed, so no cluster can be asked.", f"It is an extra: {EXTRA}")
    if address != AUTO:
        _parts(address)
    return address


class Cluster:
    """One that this process has joined. It stays joined until the process ends."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    @classmethod
    async def joined(cls, address: str) -> Cluster:
        """Args: address: `auto`, or HOST:PORT of the head; either way this machine must be a node.

        Raises SettingsError: see `check_address`; the token is missing. ModelUnavailable: no cluster is there, or it
            refuses the token.
        """
        check_address(address)
        try:
            async with asyncio.timeout(JOIN_S):
                # Not in the main thread, where Ray takes SIGTERM for itself; and not in one that is waited for at the
                # end: where something else listens, or a head is half dead, Ray tries for ever.
                return cls(await in_thread(lambda: _join(address), "ray"))
        except TimeoutError as error:
            raise _refusal(address, TimeoutError(f"no answer within {JOIN_S:g} s")) from error

    async def nodes(self) -> list[Node]:
        """Those that are alive."""
        found = await asyncio.to_thread(self._ray.nodes)
        return [
            Node(each["NodeID"], told.get("CPU", 0.0), told.get("GPU", 0.0), told.get("memory", 0.0))
            for each in found
            if each["Alive"] and (told := each["Resources"])
        ]

    def start(self, order: str, node: str, needs: Needs) -> Any:
        """A carrier on this node. It is there at once, and answers when there is room for it and its process runs."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node, soft=False)
        carrier = self._ray.remote(Carrier).options(
            num_cpus=needs.cpus, num_gpus=needs.gpus, memory=needs.memory, scheduling_strategy=there, max_restarts=0
        )
        return carrier.remote(order)

    async def call(self, carrier: Any, method: str, *texts: str) -> str:
        """What the carrier answers. Raises Gone."""
        try:
            answer: str = await getattr(carrier, method).remote(*texts)
        except self._ray.exceptions.RayError as error:
            raise Gone(_why(error)) from error
        return answer

    def tell(self, carrier: Any, method: str) -> None:
        """Without waiting for an answer, or for whether it arrives."""
        with suppress(self._ray.exceptions.RayError):
            getattr(carrier, method).remote()

    def kill(self, carrier: Any) -> None:
        """End its process."""
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(carrier)


def _join(address: str) -> Any:
    """The module, connected. Raises as `Cluster.joined`."""
    environment_default("RAY_AUTH_MODE", "token")  # Ray reads it when it is imported
    import ray

    with _joining:
        if ray.is_initialized():
            return ray
        if address != AUTO:
            _probe(address)
        logging.getLogger("ray").setLevel(logging.ERROR)
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise _refusal(address, error, missing=isinstance(error, ray.exceptions.AuthenticationError)) from error
    return ray


def _installed() -> bool:
    try:
        return importlib.util.find_spec("ray") is not None
    except ValueError:  # something bears the name that is no package
        return False


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise SettingsError(
            f"`{address}` is no address of a Ray cluster.", "Write `auto` or HOST:PORT, as `ray start --head` says it."
        )
    return host.strip("[]"), int(port)


def _probe(address: str) -> None:
    """Raises ModelUnavailable: nothing listens there."""
    try:
        socket.create_connection(_parts(address), timeout=PROBE_S).close()
    except OSError as error:
        raise _refusal(address, error) from error


def _refusal(address: str, error: Exception, *, missing: bool = False) -> AutoFlowError:
    if missing:
        return SettingsError("The cluster asks for a token, and there is none on this machine.", TOKEN_HINT)
    if address == AUTO:
        return ModelUnavailable(
            f"No Ray cluster runs on this machine: {_first_line(error)}",
            "Start or join one: see docs/guide-scaling.md.",
        )
    return ModelUnavailable(
        f"The Ray cluster at {address} cannot be joined: {_first_line(error)}",
        "This machine must be a node of it (ray start --address=...), with the same token.",
    )


def _why(error: BaseException) -> str:
    """Of a carrier that could not begin, the last line: what its process raised, behind the traceback."""
    first = _first_line(error)
    if "creation task" not in first:
        return first
    return str(error).strip().splitlines()[-1].strip()[:300]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
