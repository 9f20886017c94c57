"""The compiled part of the build and the pages: everything else stands in pyproject.toml.

Only a C compiler and Python's headers are needed: libsrtp is called through pylibsrtp's wheel. Pages that
are not built yet are built into a wheel with npm; an editable install leaves them to `make`.
"""

import subprocess
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py

RELAY = Path("server/media/relay")
PAGES = Path("server/api/pages/index.html")


class BuildWithPages(build_py):
    """Puts the built pages into the wheel."""

    def run(self):
        if not self.editable_mode and not PAGES.exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd="web", check=True)
            subprocess.run(["npm", "exec", "--no", "--", "vite", "build"], cwd="web", check=True)
        super().run()


setup(
    cmdclass={"build_py": BuildWithPages},
    ext_modules=cythonize(
        [
            Extension(
                "server.media.relay.relay",
                [str(RELAY / "relay.pyx")],
                depends=[str(piece) for kind in ("*.pxi", "*.pxd") for piece in sorted(RELAY.glob(kind))],
                extra_compile_args=["-O3", "-fno-strict-aliasing"],
            ),
            Extension("server.ingest._reach", ["server/ingest/reach.c"], libraries=["dl"]),
            Extension("server.media.line", ["server/media/line.pyx"], extra_compile_args=["-O3"]),
        ],
        language_level=3,
    ),
)
