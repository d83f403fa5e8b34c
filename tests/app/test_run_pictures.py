"""Pictures on the Run page: what is uploaded, which tools may be called, what cannot be used here."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoflow.errors import StoreError
from autoflow.records import PictureRef, TaskInput, WorkflowRecord
from autoflow.store import SqlStore
from pages.ui import picture, uploads
from pages.ui.run import larger
from tests.app.conftest import words
from tests.app.test_run import TEXT, finished_run
from tests.tools.openagi.files import no_hub
from tests.tools.openagi.pictures import natural
from tests.tools.openagi.test_images import TURNED, bomb, saved, told

__all__ = ["no_hub"]  # a fixture
pytestmark = pytest.mark.usefixtures("no_hub")


class Given:
    """A file as a browser gives it."""

    def __init__(self, name: str, data: bytes = b"x", type_: str = "") -> None:
        self.name, self.type, self._data = name, type_, data

    def getvalue(self) -> bytes:
        return self._data


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("cat.png", "cat.png"), ("../../etc/passwd", "passwd"), ("C:\\photos\\cat.jpg", "cat.jpg"), ("/", "file"),
        ("..", "file"), ("a\nb\x00.png", "ab.png"), ("x" * 300 + ".png", "x" * 196 + ".png"), ("", "file"),
    ],
)  # fmt: skip
def test_a_name_with_path_parts_is_its_last_part(name: str, kept: str, store: SqlStore) -> None:
    item = uploads.kept(Given(name), [])
    assert (item.name, item.filename) == (kept, kept)


def test_the_same_picture_twice_is_two_inputs_over_one_file(store: SqlStore) -> None:
    data = saved(Image.new("RGB", (9, 9)))
    given: list[TaskInput] = []
    for _ in range(3):
        given.append(uploads.kept(Given("Cat.png", data, "image/png"), given))
    assert [item.name for item in given] == ["Cat.png", "Cat.png 2", "Cat.png 3"]
    assert {item.kind for item in given} == {"image"}
    assert len({item.sha256 for item in given}) == 1


def test_a_type_that_the_browser_does_not_say_is_guessed(store: SqlStore) -> None:
    assert uploads.kept(Given("cat.webp"), []).kind == "image"
    assert uploads.kept(Given("cat"), []).kind == "file"


def test_a_file_that_is_too_large_is_refused_by_name(store: SqlStore) -> None:
    with pytest.raises(StoreError, match=r"cat\.png"):
        uploads.kept(Given("cat.png", b"x" * (25 * 2**20 + 1), "image/png"), [])


def sha256_of(store: SqlStore, data: bytes) -> str:
    return store.add_file(data, name="x", filename="x", media_type="image/png").sha256 or ""


@pytest.mark.parametrize("content", [b"hello", b"", bomb(60_000, 60_000), saved(natural("chelsea.png"))[:800]])
def test_what_is_no_picture_is_never_shown(content: bytes, store: SqlStore) -> None:
    sha256 = sha256_of(store, content)
    assert picture.data_url(sha256) is None
    assert picture.large(sha256) is None
    assert picture.whole(sha256) is None


def test_a_file_that_is_gone_is_no_picture(store: SqlStore) -> None:
    assert picture.data_url("0" * 64) is None


def test_a_small_picture_is_made_anew_and_small(store: SqlStore) -> None:
    told = saved(
        natural("chelsea.png").resize((1500, 900)), "JPEG", exif=Image.Exif(), comment=b"<script>secret</script>"
    )
    address = picture.data_url(sha256_of(store, told))
    assert address is not None
    kind, _, code = address.partition(",")
    assert kind == "data:image/webp;base64"
    assert len(address) < 40_000
    data = base64.b64decode(code)
    assert b"secret" not in data
    assert Image.open(io.BytesIO(data)).size == (192, 115)


def test_what_is_kept_has_every_pixel_of_what_tools_make(store: SqlStore) -> None:
    image = natural("chelsea.png")
    whole = picture.whole(sha256_of(store, saved(image)))
    assert whole is not None
    assert Image.open(io.BytesIO(whole)).tobytes() == image.tobytes()


@pytest.fixture
def workflow(store: SqlStore) -> WorkflowRecord:
    photo = store.add_file(saved(natural("chelsea.png")), name="cat", filename="cat.png", media_type="image/png")
    broken = store.add_file(b"no picture", name="broken", filename="b.png", media_type="image/png")
    task = store.add_task("Mend it", [photo, broken], ["openagi.image_denoising"])
    return store.create_workflow("Mend", TEXT, task=task)


def test_tools_are_chosen_where_a_run_is_set_up_and_go_into_its_task(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    app = visit("run", workflow=workflow.id)
    field = app.multiselect(key=f"tools-{workflow.id}")
    assert field.value == ["openagi.image_denoising"]
    assert {"openagi", "calculator", "openagi.fill_mask"} <= set(field.options)
    field.select("calculator").run()
    app.button(key="start").click().run()
    (run,) = store.list_runs(workflow.id)
    assert run.task.tools == ("openagi.image_denoising", "calculator")
    assert [item.name for item in run.task.inputs] == ["cat", "broken"]


def test_a_tool_that_is_not_here_is_marked_and_says_what_to_get(
    visit: Callable[..., AppTest], workflow: WorkflowRecord
) -> None:
    app = visit("run", workflow=workflow.id)
    field = app.multiselect(key=f"tools-{workflow.id}")
    assert "openagi.image_captioning (not here)" in field.options
    assert "openagi.image_denoising" in field.options
    assert "vit-gpt2" not in words(app)
    field.set_value([*field.value, "openagi.image_captioning"]).run()
    assert "nlpconnect/vit-gpt2-image-captioning (Apache-2.0) is fetched at the first use" in words(app)


def test_an_input_that_is_no_picture_is_told_and_stops_nothing(
    visit: Callable[..., AppTest], workflow: WorkflowRecord
) -> None:
    shown = words(visit("run", workflow=workflow.id))
    assert "no picture that can be shown" in shown
    assert "broken: b.png, 10 B" in shown


def test_what_was_wrong_with_a_run_as_a_whole_is_shown(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    from autoflow.interpret.events import event

    run = finished_run(store, workflow)
    store.append_events(run.id, [event("warning", 0, 0.0, message="`Captioning` is not here.", hint="Get it.")])
    assert "`Captioning` is not here. Get it." in words(visit("run", run=run.id))


@pytest.mark.parametrize("entry", [(0x0100, 2, b"x\0\0\0"), (0x010F, 11, b"\1\0\0\0")])
def test_a_picture_that_tells_nonsense_of_itself_is_none_that_can_be_shown(
    entry: tuple[int, int, bytes], store: SqlStore
) -> None:
    item = uploads.kept(Given("cat.jpg", told(entry, TURNED), "image/jpeg"), [])
    assert item.sha256
    assert picture.data_url(item.sha256) is None
    assert (picture.large(item.sha256), picture.whole(item.sha256)) == (None, None)


def test_a_picture_that_is_looked_at_does_not_outlive_its_run(
    visit: Callable[..., AppTest], workflow: WorkflowRecord, store: SqlStore
) -> None:
    first, second = finished_run(store, workflow), finished_run(store, workflow)
    sha256 = sha256_of(store, saved(natural("chelsea.png")))
    ref = PictureRef(name="cat.png", sha256=sha256, width=100, height=80)
    app = visit("run", run=first.id)
    app.session_state[larger.KEY] = (first.id, ref)
    app.run()
    assert "100 x 80 pixels" in words(app)
    app.query_params["run"] = second.id
    app.run()
    assert larger.KEY not in app.session_state
