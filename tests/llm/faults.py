"""What AutoFlow makes of every fault, met by a real client; and the table of the docs that says so.

`python -m tests.llm.faults` writes the table from what is really said; a test keeps the two in step.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from autoflow.errors import AutoFlowError
from autoflow.llm.base import Completion, Message
from autoflow.llm.features import forget_features
from autoflow.llm.openai_chat import OpenAIChat, Timeouts
from autoflow.llm.retry import RetryPolicy
from tests.llm.endpoint_faults import FAULTS, Fault
from tests.llm.local_faults import LOCAL, local_row
from tests.llm.server import Request, Server, says

TABLE = Path(__file__).parents[2] / "docs" / "errors-models.md"


@dataclass
class Outcome:
    """What came of it. `waited` is what retries would have waited, had they slept."""

    completion: Completion | None
    error: AutoFlowError | None
    pieces: list[str]
    waited: float

    def words(self) -> str:
        if self.error is not None:
            return str(self.error)
        assert self.completion is not None
        usage, done = self.completion.usage, self.completion
        facts = [f"Requests: {usage.attempts}"]
        facts += [f"waited: {self.waited:.0f} s"] * (self.waited >= 1)
        facts += [f"held to its form by: {done.strength}"] * (done.strength != "none")
        facts += ["tokens: unknown"] * (usage.prompt_tokens is None)
        facts += ["marked as cut"] * (done.finish == "length")
        return f"(An answer comes through. {'; '.join(facts)}.)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


async def meet(fault: Fault, server: Server, tls: Server) -> Outcome:
    """Let a fault happen to a real client."""
    forget_features()
    waited = 0.0

    async def wait(seconds: float) -> None:
        nonlocal waited
        waited += seconds

    async def busy(writer: asyncio.StreamWriter, request: Request) -> None:
        await fault.answers[waited >= fault.busy_s](writer, request)

    at = tls if fault.base_url == "tls" else server
    at.script(*((busy,) if fault.busy_s else fault.answers or (says("fine"),)))
    address = (
        (fault.base_url or at.url).format(free=free_port(), port=server.port) if fault.base_url != "tls" else at.url
    )
    policy = RetryPolicy(sleep=wait, jitter=lambda: 0.5)
    limits = Timeouts(first_s=fault.first_s, stall_s=fault.stall_s)
    llm = OpenAIChat("gpt-test", base_url=address, api_key=fault.key, retry=policy, timeouts=limits)
    pieces: list[str] = []
    try:
        asked = [Message("user", "Say something.", images=fault.images)]
        return Outcome(await llm.complete(asked, fault.options, pieces.append), None, pieces, waited)
    except AutoFlowError as raised:
        return Outcome(None, raised, pieces, waited)
    finally:
        await llm.aclose()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for localhost that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    until, serial = now + datetime.timedelta(days=1), x509.random_serial_number()
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, now, until)
    certificate = builder.sign(key, hashes.SHA256())
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def row(fault: Fault, outcome: Outcome) -> str:
    """One line of the table, the same on every machine."""
    said = re.sub(r"localhost:\d+", "localhost:8000", outcome.words())
    said = re.sub(r"(\[SSL[^\]]*\] [^()]*) \([^)]*\)", r"\1", said)
    said = said.replace("|", "\\|").replace("<", "&lt;")
    return f"| {fault.title} | {said} |"


HEAD = """\
<!-- Written by `python -m tests.llm.faults`; a test keeps it in step. -->

| What happens | What AutoFlow says |
|---|---|
"""


async def rows(folder: Path) -> list[str]:
    """The whole table, from what really happens."""
    server, tls = Server(), Server(tls=self_signed(folder))
    server.start()
    tls.start()
    try:
        remote = [row(fault, await meet(fault, server, tls)) for fault in FAULTS]
    finally:
        server.stop()
        tls.stop()
    return remote + [local_row(title, await fail(folder), folder) for title, fail in LOCAL.items()]


if __name__ == "__main__":
    import os
    import tempfile

    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        os.environ.pop(variable, None)
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["AUTOFLOW_HOME"] = temporary
        TABLE.write_text(HEAD + "\n".join(asyncio.run(rows(Path(temporary)))) + "\n", "utf-8")
