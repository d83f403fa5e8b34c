"""The colorizer, with random weights under the names and in the shapes of the released ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab
from torch.nn import functional as F

from autoflow.errors import ToolFailed
from autoflow.llm.catalogue import catalogue
from autoflow.settings import settings
from autoflow.tools.openagi.degrading import degraded
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.hub_colouring import colorizer
from autoflow.tools.openagi.loading import Where
from autoflow.tools.openagi.siggraph17 import Siggraph17, with_weights
from tests.llm.fake_hub import running_hub
from tests.llm.file_faults import Place, furnish
from tests.tools.openagi.pictures import natural

AT = Where("cpu")
RELEASED = {  # part: places of its convolutions, and of its normalization
    "model1": ((0, 2), 4), "model2": ((0, 2), 4), "model3": ((0, 2, 4), 6), "model4": ((0, 2, 4), 6),
    "model5": ((0, 2, 4), 6), "model6": ((0, 2, 4), 6), "model7": ((0, 2, 4), 6), "model8": ((1, 3), 5),
    "model9": ((1,), 3), "model10": ((1,), None), "model8up": ((0,), None), "model9up": ((0,), None),
    "model10up": ((0,), None), "model3short8": ((0,), None), "model2short9": ((0,), None),
    "model1short10": ((0,), None), "model_class": ((0,), None), "model_out": ((0,), None),
}  # fmt: skip


def tiny(seed: int = 0) -> Siggraph17:
    """Four channels wide. What it normalizes by is not 0 and 1, and most of its colours are such as RGB can show."""
    torch.manual_seed(seed)
    network = Siggraph17(4, 7)
    for name, values in network.state_dict().items():
        if "running_mean" in name:
            values.normal_(0, 0.1)
        elif "running_var" in name:
            values.uniform_(0.5, 2.0)
        elif name.startswith("model_out"):
            values.mul_(0.5)
    return network.eval()


def test_names_and_shapes_are_those_of_the_released_weights() -> None:
    found = Siggraph17().state_dict()
    expected = set()
    for part, (convolutions, normalized) in RELEASED.items():
        expected |= {f"{part}.{n}.{kind}" for n in convolutions for kind in ("weight", "bias")}
        kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        expected |= {f"{part}.{normalized}.{kind}" for kind in kinds} if normalized else set()
    assert set(found) == expected
    shapes = {name: tuple(values.shape) for name, values in found.items()}
    assert shapes["model1.0.weight"] == (64, 4, 3, 3)
    assert shapes["model7.4.weight"] == (512, 512, 3, 3)
    assert shapes["model8up.0.weight"] == (512, 256, 4, 4)
    assert shapes["model10up.0.weight"] == (128, 128, 4, 4)
    assert (shapes["model_class.0.weight"], shapes["model_out.0.weight"]) == ((529, 256, 1, 1), (2, 128, 1, 1))
    numbers = sum(values.numel() * values.element_size() for values in found.values())
    assert 0 < catalogue().find("siggraph17-colorizer").size - numbers < 20_000, "the file has little besides numbers"


def by_hand(w: dict[str, Any], lightness: Any) -> Any:
    """The network, call by call."""

    def block(x: Any, part: str, dilation: int = 1) -> Any:
        convolutions, normalized = RELEASED[part]
        x = F.relu(x) if convolutions[0] == 1 else x
        for n in convolutions:
            x = F.conv2d(x, w[f"{part}.{n}.weight"], w[f"{part}.{n}.bias"], padding=dilation, dilation=dilation)
            x = F.relu(x) if part != "model10" else F.leaky_relu(x, 0.2)
        if normalized is None:
            return x
        name = f"{part}.{normalized}"
        mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, w[f"{name}.weight"], w[f"{name}.bias"])

    def up(x: Any, part: str, beside: Any, across: str) -> Any:
        grown = F.conv_transpose2d(x, w[f"{part}.0.weight"], w[f"{part}.0.bias"], stride=2, padding=1)
        return grown + F.conv2d(beside, w[f"{across}.0.weight"], w[f"{across}.0.bias"], padding=1)

    given = torch.cat([(lightness - 50) / 100, torch.zeros(len(lightness), 3, *lightness.shape[2:])], dim=1)
    one = block(given, "model1")
    two = block(one[:, :, ::2, ::2], "model2")
    three = block(two[:, :, ::2, ::2], "model3")
    seven = three[:, :, ::2, ::2]
    for n, dilation in ((4, 1), (5, 2), (6, 2), (7, 1)):
        seven = block(seven, f"model{n}", dilation)
    eight = block(up(seven, "model8up", three, "model3short8"), "model8")
    nine = block(up(eight, "model9up", two, "model2short9"), "model9")
    ten = block(up(nine, "model10up", one, "model1short10"), "model10")
    return 110 * torch.tanh(F.conv2d(ten, w["model_out.0.weight"], w["model_out.0.bias"]))


def test_the_network_is_what_its_description_says() -> None:
    network = tiny()
    lightness = torch.rand(2, 1, 32, 24) * 100
    with torch.inference_mode():
        found = with_weights(network.state_dict())(lightness)
        torch.testing.assert_close(found, by_hand(network.state_dict(), lightness))
    assert found.shape == (2, 2, 32, 24)
    assert found.std() > 1, "colours that can be told apart"


def test_weights_of_another_network_are_refused() -> None:
    weights = tiny().state_dict()
    with pytest.raises(RuntimeError, match=r"model9\.1"):
        with_weights(weights | {"model9.1.weight": torch.zeros(1)})


class TestFetched:
    @pytest.fixture
    def place(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
        with running_hub() as hub:
            yield furnish(home, hub, monkeypatch)

    def offer(self, place: Place, weights: object, tmp_path: Path, *, old: bool = False) -> None:
        """A file of weights at an address, in the catalogue as `m`."""
        file = tmp_path / "made.pth"
        torch.save(weights, file, _use_new_zipfile_serialization=not old)
        data = file.read_bytes()
        place.hub.files["colours.pth"] = data
        place.entry(data, path="colours.pth", kind="vision", sources=[{"address": f"{place.hub.url}/colours.pth"}])

    @pytest.mark.parametrize("old", [False, True])
    def test_pictures_get_colours_and_keep_size_and_lightness(self, place: Place, tmp_path: Path, old: bool) -> None:
        network = tiny()
        self.offer(place, network.state_dict(), tmp_path, old=old)
        grey = [degraded(natural("coffee.png"), ["grayscale"], ""), Image.new("RGB", (70, 33), (128, 128, 128))]
        with torch.inference_mode():
            made = colorizer("m", AT)(grey)
        assert [picture.size for picture in made] == [picture.size for picture in grey]
        before, after = rgb2lab(np.asarray(grey[0])), rgb2lab(np.asarray(made[0]))
        inside = np.abs(after[..., 1:] - expected(network, before)).max(axis=-1) < 2  # the others RGB cannot show
        assert inside.mean() > 0.5
        assert np.abs(after[..., 0] - before[..., 0])[inside].max() < 1.5
        assert np.abs(after[..., 1:]).mean() > 1 > np.abs(before[..., 1:]).mean()

    def test_a_file_that_is_another_one_is_refused(self, place: Place, tmp_path: Path) -> None:
        self.offer(place, tiny().state_dict(), tmp_path)
        colorizer("m", AT)
        file = settings().models / "m" / "colours.pth"
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ToolFailed, match="not the one that the catalogue names"):
            colorizer("m", AT)

    def test_code_in_the_file_is_not_run(self, place: Place, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> object:
                return (open, (str(tmp_path / "touched"), "w"))

        self.offer(place, {"model1.0.weight": Evil()}, tmp_path)
        with pytest.raises(ToolFailed, match="m cannot be loaded"):
            colorizer("m", AT)
        assert not (tmp_path / "touched").exists()

    def test_a_file_of_another_network_is_told_by_name(self, place: Place, tmp_path: Path) -> None:
        self.offer(place, {"weight": torch.zeros(2)}, tmp_path)
        with pytest.raises(ToolFailed, match="m cannot be loaded"):
            colorizer("m", AT)

    def test_where_it_cannot_be_had_the_tool_says_what_to_get(self, place: Place, tmp_path: Path) -> None:
        self.offer(place, tiny().state_dict(), tmp_path)
        place.hub.status = 503
        with pytest.raises(ToolFailed) as caught:
            colorizer("m", AT)
        assert f"the address {place.hub.url}/colours.pth: it failed (503)" in str(caught.value).lower()
        assert "autoflow models get m" in caught.value.hint
        assert str(settings().models) in caught.value.hint


def expected(network: Siggraph17, lab: Any) -> Any:
    """(H, W, 2): what the network says of a picture of the size that it looks at."""
    with torch.inference_mode():
        made = network(torch.tensor(lab[..., 0]).float()[None, None])[0]
    return made.permute(1, 2, 0).numpy()


async def test_the_hub_has_the_tool_and_offline_it_says_what_to_get(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = OpenAGIExperts("hub")
    assert hub.available("Colorization").part == "siggraph17-colorizer"
    assert "siggraph17-colorizer (BSD-2-Clause)" in OpenAGIExperts("offline").available("Colorization").why
    monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
    settings.cache_clear()
    with pytest.raises(ToolFailed, match=r"AUTOFLOW_OFFLINE.*autoflow models get siggraph17-colorizer"):
        await hub.find("Colorization").run([(natural("coffee.png"),)])
