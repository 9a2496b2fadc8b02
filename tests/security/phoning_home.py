# SPDX-License-Identifier: Apache-2.0
"""A model on a library that phones home (onnxruntime), with nothing to keep it from it.

`python phoning_home.py` runs it free, which only a leak rig may do; as the custom model
`phoning_home.py` it runs in a worker. It stays for as long as the library gathers what
it sends. The ONNX model is written by hand: y = x + x.
"""

import os
import sys
import time

SPEAKS_AFTER = 13.0  # seconds; measured: it sends after 10
_NUMBER, _BYTES = 0, 2  # protobuf's wire types


def _field(number, data):
    return bytes([number << 3 | _BYTES, len(data)]) + data


def _number(number, value):
    return bytes([number << 3 | _NUMBER, value])


def _three_floats(name):
    shape = _field(2, _field(1, _number(1, 3)))
    return _field(1, name) + _field(2, _field(1, _number(1, 1) + shape))


def _model():
    node = _field(1, b"x") + _field(1, b"x") + _field(2, b"y") + _field(4, b"Add")
    ends = _field(11, _three_floats(b"x")) + _field(12, _three_floats(b"y"))
    graph = _field(1, node) + _field(2, b"g") + ends
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 13))


def doubled():
    os.environ.pop("ORT_DISABLE_TELEMETRY", None)  # noqa: TID251  (a worker sets it)
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(_model())
    (found,) = session.run(None, {"x": np.array([1, 2, 3], "float32")})
    time.sleep(SPEAKS_AFTER)
    return found.tolist()


class Phoning:
    def load(self, options):
        pass

    def describe(self):
        from lao import ModelDescription

        return ModelDescription(name="phoning")

    def infer(self, request, report):
        from lao import ModelReply

        return ModelReply(value=doubled(), made_by="phoning")


if __name__ == "__main__":
    sys.stdout.write(f"{doubled()}\n")
