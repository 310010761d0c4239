"""Writes embedder/: a tiny model that embeds pictures, its manifest, and what comes out, worked out without it.

Needs numpy, onnx and pillow. The model is a layer of patches, a ReLU and a linear head, with random weights: near enough to a
vision transformer that a shifted cut, another filter or swapped channels change the answer. The expected vectors
come from Pillow and numpy alone, step by step as CLIP's and DINO's own preprocessing goes: scale, round to levels, cut.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

FOLDER = Path(__file__).parent / "embedder"
SIDE, PATCH, FEATURES, LENGTH = 32, 8, 6, 10
TOKENS = (SIDE // PATCH) ** 2
MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])
MANIFEST = """\
format = 1
name = "tiny-embedder"
version = "1"
file = "model.onnx"
sha256 = "{sha256}"
opset = 17
license = "MIT OR Apache-2.0"

[input.pixels]
name = "pixel_values"
shape = [-1, 3, 32, 32]
resize = "bicubic"
fit = "centre-crop"
short_side = 32
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]

[output.embedding]
name = "image_embeds"

[check]
input = "ramp"
expect = [{ramp}]
tolerance = 1e-4
"""
# How the scale and the cut go: the shorter side in px, or None for the whole picture squeezed.
WAYS = {"clip": 32, "dino": 37, "stretch": None}
# Width, height, and what a level grows by per column, row and channel: smooth pictures with hard edges where it wraps. Sides
# and steps are such that means seldom lie halfway between two levels, where everyone rounds as they like.
PICTURES = [
    (32, 32, 3, 5, 85), (67, 61, 1, 2, 40), (331, 1031, 5, 3, 85), (301, 47, 2, 3, 60), (11, 15, 20, 7, 30), (70, 33, 0, 0, 0),
]


def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    draw = lambda *shape: random.normal(0, np.prod(shape[1:]) ** -0.5, shape).astype(np.float32)
    return {"patch": draw(FEATURES, 3, PATCH, PATCH), "bias": draw(FEATURES, 1)[:, 0], "head": draw(LENGTH, TOKENS * FEATURES)}


def model(values: dict[str, np.ndarray]) -> bytes:
    nodes = [
        helper.make_node("Conv", ["pixel_values", "patch", "bias"], ["patches"], strides=[PATCH, PATCH]),
        helper.make_node("Relu", ["patches"], ["features"]),
        helper.make_node("Reshape", ["features", "table"], ["columns"]),
        helper.make_node("Transpose", ["columns"], ["last_hidden_state"], perm=[0, 2, 1]),
        helper.make_node("Flatten", ["last_hidden_state"], ["flat"]),
        helper.make_node("Gemm", ["flat", "head"], ["image_embeds"], transB=1),
    ]
    tensor = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
    constants = values | {"table": np.array([0, FEATURES, TOKENS], np.int64)}
    graph = helper.make_graph(
        nodes, "tiny-embedder", [tensor("pixel_values", 3, "height", "width")],
        [tensor("image_embeds", LENGTH), tensor("last_hidden_state", TOKENS, FEATURES)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def tokens_and_vector(levels: np.ndarray, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The model by hand, in double precision."""
    pixels = (levels / 255 - MEAN) / STD
    cells = SIDE // PATCH
    patches = pixels.reshape(cells, PATCH, cells, PATCH, 3).transpose(0, 2, 4, 1, 3).reshape(TOKENS, -1)
    tokens = np.maximum(patches @ values["patch"].reshape(FEATURES, -1).T.astype(float) + values["bias"], 0)
    return tokens, values["head"].astype(float) @ tokens.ravel()


def picture(width: int, height: int, across: int, down: int, channel: int) -> Image.Image:
    y, x, c = np.indices((height, width, 3))
    return Image.fromarray(((x * across + y * down + c * channel) % 256).astype(np.uint8))


def scaled(image: Image.Image, width: int, height: int) -> np.ndarray:
    """Rows first, then columns: what Pillow does by itself up to 12. Version 13 may begin with the columns, and the levels in
    between are rounded."""
    rows = image.resize((width, image.height), Image.Resampling.BICUBIC)
    return np.asarray(rows.resize((width, height), Image.Resampling.BICUBIC))


def seen(image: Image.Image, short_side: int | None) -> np.ndarray:
    if short_side is None:
        return scaled(image, SIDE, SIDE)
    short = min(image.size)
    width, height = (short_side * side // short for side in image.size)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return scaled(image, width, height)[top : top + SIDE, left : left + SIDE]


def rounded(vector: np.ndarray) -> list[float]:
    return [round(float(number), 6) for number in vector]


def expected(short_side: int | None, values: dict[str, np.ndarray]) -> dict:
    both = [tokens_and_vector(seen(picture(*form), short_side), values) for form in PICTURES]
    vectors = np.array([vector for _, vector in both])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return {
        "short_side": short_side,
        "vectors": [rounded(vector) for vector in vectors],
        "token_1": [rounded(tokens[1]) for tokens, _ in both],
        "cosines": [rounded(row) for row in units @ units.T],
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    values = weights()
    onnx_bytes = model(values)
    (FOLDER / "model.onnx").write_bytes(onnx_bytes)
    _, ramp = tokens_and_vector(np.asarray(picture(SIDE, SIDE, 1, 1, 85)), values)
    manifest = MANIFEST.format(sha256=hashlib.sha256(onnx_bytes).hexdigest(), ramp=", ".join(map(str, rounded(ramp[:3]))))
    (FOLDER / "model.toml").write_text(manifest)
    answer = {"pictures": PICTURES, "ways": {name: expected(short_side, values) for name, short_side in WAYS.items()}}
    text = json.dumps(answer).replace("]], ", "]],\n").replace("}, ", "},\n").replace("], [", "],\n[")
    (FOLDER / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
