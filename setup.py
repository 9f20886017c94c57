"""The compiled part of the build: everything else stands in pyproject.toml.

Only a C compiler and Python's headers are needed: libsrtp is called through pylibsrtp's wheel.
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

setup(
    ext_modules=cythonize(
        [
            Extension(
                "server.media.relay.relay",
                ["server/media/relay/relay.pyx"],
                extra_compile_args=["-O3", "-fno-strict-aliasing"],
            )
        ],
        language_level=3,
    )
)
