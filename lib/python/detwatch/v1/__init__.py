"""The generated messages of ``proto/detwatch/v1/detwatch.proto``, as ``detwatch_pb2``.

A built or installed package carries ``detwatch_pb2.py`` beside this file. In a source checkout it is not
there, and is made by ``protoc`` at first import (about 0.1 s), so that nothing generated is kept in git.
"""
from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
from types import ModuleType

__all__ = ["detwatch_pb2"]

_PROTO = "detwatch/v1/detwatch.proto"


def _compile_from_checkout() -> ModuleType:
    root = pathlib.Path(__file__).resolve().parents[4] / "proto"
    if not (root / _PROTO).is_file():
        raise ImportError("detwatch/v1/detwatch_pb2.py is missing: the package was copied before it was built; "
                          "build the CMake target detwatch_python and use its output")
    with tempfile.TemporaryDirectory() as out:
        try:
            subprocess.run(["protoc", f"-I{root}", f"--python_out={out}", _PROTO], check=True,
                           capture_output=True, text=True)
        except FileNotFoundError as error:
            raise ImportError("using detwatch from a source checkout needs protoc: "
                              "apt-get install protobuf-compiler") from error
        except subprocess.CalledProcessError as error:
            raise ImportError(f"protoc failed on {root / _PROTO}: {error.stderr}") from error
        name = __name__ + ".detwatch_pb2"
        spec = importlib.util.spec_from_file_location(name, pathlib.Path(out) / "detwatch/v1/detwatch_pb2.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


if importlib.util.find_spec(__name__ + ".detwatch_pb2") is not None:
    from . import detwatch_pb2  # type: ignore[attr-defined]
else:
    detwatch_pb2 = _compile_from_checkout()
