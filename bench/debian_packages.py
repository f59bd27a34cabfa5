"""Documentation out of Debian's packages, which is measured with and never shipped."""

import subprocess
import tempfile
from pathlib import Path

from bench.figures import NotMeasurableError


def unpacked(package: str, folder: Path) -> Path:
    """Return where the package's files are below `folder`: fetched once by apt, which verifies it, never installed."""
    target = folder / package
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            subprocess.run(["apt-get", "download", package], cwd=place, check=True, capture_output=True)
            (archive,) = Path(place).glob("*.deb")
            subprocess.run(["dpkg-deb", "--extract", archive, f"{place}/out"], check=True, capture_output=True)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise NotMeasurableError(f"{package} can't be fetched: run on Debian 12 with `apt-get update`") from error
        Path(place, "out").rename(target)
    return target
