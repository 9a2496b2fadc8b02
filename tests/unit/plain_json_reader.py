# SPDX-License-Identifier: Apache-2.0
"""The rules of strict JSON, written down with the standard library: slow and plain.

`lao.workers.strict_json` must refuse what this refuses, and read what this reads.
"""

import json
import math
import re

from lao.workers.strict_json import CONTAINERS, DEPTH

STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)


def read(data):
    """Return the value; ValueError for what is not strict."""
    check_shape(data)
    text = data.decode()
    try:
        value = json.loads(
            text,
            object_pairs_hook=unique,
            parse_int=integer,
            parse_float=number,
            parse_constant=constant,
        )
    except RecursionError as error:
        raise ValueError from error
    json.dumps(value, ensure_ascii=False).encode()  # refuses halves of pairs
    return value


def check_shape(data):
    depth = opened = 0
    for character in STRING.sub(b"", data):
        opened += character in b"[{"
        depth += (character in b"[{") - (character in b"]}")
        if depth > DEPTH or opened > CONTAINERS:
            raise ValueError("too deep or too many")


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def integer(text):
    if len(text) > 40:
        raise ValueError("too long an integer")
    return int(text)


def number(text):
    if not math.isfinite(float(text)):
        raise ValueError("too large")
    return float(text)


def constant(name):
    raise ValueError(name)
