"""Writes the files of this folder: a tiny model, its manifest, and pictures resized by Pillow.

Needs numpy, onnx, onnxruntime and pillow. The model takes the mean of each channel and two linear heads of them, so a
score can be worked out by hand and any size of input costs nothing.
"""

import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT = 8, 16

MANIFEST = """\
format = 1
name = "tiny"
version = "1"
file = "tiny.onnx"
sha256 = "{sha256}"
opset = 17
license = "MIT OR Apache-2.0"

[input.pixels]
name = "pixels"
shape = [-1, 3, 16, 8]
layout = "nchw"
colour = "rgb"
resize = "box"
fit = "top-pad"
pad = 255
mean = [0.5, 0.5, 0.5]
std = [0.5, 0.5, 0.5]

[output.score]
name = "score"
index = 0
higher_is_better = true
calibration = {{ kind = "platt", a = 2.0, b = -0.5 }}
keep_at = 0.4

[output.parts]
name = "parts"
labels = ["warm", "cold"]
activation = "sigmoid"

[check]
input = "ramp"
expect = [{ramp:.6f}]
tolerance = 1e-4
"""


def model() -> bytes:
    weights = {"w": np.array([[0.5], [0.3], [0.2]]), "b": np.array([0.25]), "v": np.array([[1, -1], [0, 0], [-1, 1]])}
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixels"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["score"]),
        helper.make_node("MatMul", ["flat", "v"], ["parts"]),
    ]
    tensor = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes, "tiny", [tensor("pixels", ["n", 3, HEIGHT, WIDTH])], [tensor("score", ["n", 1]), tensor("parts", ["n", 2])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def ramp() -> np.ndarray:
    y, x, c = np.indices((HEIGHT, WIDTH, 3))
    levels = ((x + y + 85 * c) % 256).astype(np.float32)
    return np.moveaxis((levels / 255 - 0.5) / 0.5, -1, 0)[None]


def noise(width: int, height: int) -> Image.Image:
    index = np.arange(width * height * 3, dtype=np.uint64)
    levels = ((index * 2_654_435_761 & 0xFFFF_FFFF) >> 24).astype(np.uint8)
    return Image.fromarray(levels.reshape(height, width, 3))


def top_pad(picture: Image.Image, filter: Image.Resampling) -> bytes:
    rows = min(picture.height, picture.width * HEIGHT // WIDTH)
    height = min(HEIGHT, max(1, round(rows * WIDTH / picture.width)))
    small = picture.resize((WIDTH, height), filter, box=(0, 0, picture.width, rows))
    return np.asarray(small).tobytes() + bytes([255]) * ((HEIGHT - height) * WIDTH * 3)


def pillow_lines():
    filters = {
        "box": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS,
    }
    for name, filter in filters.items():
        for width, height in [(37, 91), (64, 50), (5, 9), (40, 600), (1280, 61)]:
            picture = noise(width, height)
            yield f"{name} top-pad {width} {height} {top_pad(picture, filter).hex()}"
            yield f"{name} stretch {width} {height} {picture.resize((WIDTH, HEIGHT), filter).tobytes().hex()}"


def main() -> None:
    onnx_bytes = model()
    (HERE / "tiny.onnx").write_bytes(onnx_bytes)
    score = onnxruntime.InferenceSession(onnx_bytes).run(["score"], {"pixels": ramp()})[0]
    manifest = MANIFEST.format(sha256=hashlib.sha256(onnx_bytes).hexdigest(), ramp=float(score[0, 0]))
    (HERE / "model.toml").write_text(manifest)
    (HERE / "pillow.txt").write_text("\n".join(pillow_lines()) + "\n")


if __name__ == "__main__":
    main()
