"""The compiled part of the build: everything else stands in pyproject.toml.

Only a C compiler and Python's headers are needed: libsrtp is called through pylibsrtp's wheel.
"""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

RELAY = Path("server/media/relay")

setup(
    ext_modules=cythonize(
        [
            Extension(
                "server.media.relay.relay",
                [str(RELAY / "relay.pyx")],
                depends=[str(piece) for kind in ("*.pxi", "*.pxd") for piece in sorted(RELAY.glob(kind))],
                extra_compile_args=["-O3", "-fno-strict-aliasing"],
            )
        ],
        language_level=3,
    )
)
