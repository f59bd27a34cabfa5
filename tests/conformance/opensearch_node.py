"""How a real OpenSearch node is had without a container: its parts from Maven Central, started on free ports.

The minimal distribution lacks two parts, so they are laid under plugins/: k-NN (jars only, hence engine lucene, and
freed of its unused link to lang-painless) and reindex (which serves delete by query). OpenSearch refuses to run as
root, so root starts it as nobody, from a directory that nobody owns. Every file is pinned by version and SHA-256.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.processes import LOOPBACK, free_port, start, stop, wait_healthy

VERSION = "2.19.1"
START_SECONDS = 120
DOWNLOAD_SECONDS = 180
JAVA = 17
CHECKSUMS = Path(__file__).with_name("opensearch_node.sha256")

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>conformance</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.opensearch.distribution.integ-test-zip</groupId><artifactId>opensearch</artifactId>
      <version>{VERSION}</version><type>zip</type>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>org.opensearch.plugin</groupId><artifactId>opensearch-knn</artifactId>
      <version>{VERSION}.0</version><type>zip</type>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>org.opensearch.plugin</groupId><artifactId>reindex-client</artifactId><version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

_COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"

_REINDEX_DESCRIPTOR = f"""description=reindex
version={VERSION}
name=reindex
classname=org.opensearch.index.reindex.ReindexPlugin
java.version=11
opensearch.version={VERSION}
"""


class NodeUnavailableError(Exception):
    """No real node can run here; the message says what is missing."""


@contextmanager
def running_node(cache: Path) -> Iterator[str]:
    """Yield the URL of a node that lives as long as the context."""
    parts = _fetch(cache / f"opensearch-{VERSION}")
    place = Path(tempfile.mkdtemp(prefix="opensearch-node-"))
    try:
        home = _assemble(parts, place)
        port = free_port()
        (home / "config" / "opensearch.yml").write_text(
            f"discovery.type: single-node\nnetwork.host: {LOOPBACK}\nhttp.port: {port}\n"
            f"transport.port: {free_port()}\ncluster.routing.allocation.disk.threshold_enabled: false\n"
        )
        environment = {**os.environ, "OPENSEARCH_JAVA_OPTS": "-Xms1g -Xmx1g", "OPENSEARCH_JAVA_HOME": _java_home()}
        node = start(
            "opensearch",
            [*_as_nobody(place), str(home / "bin" / "opensearch")],
            env=environment,
            log_path=place / "node.log",
        )
        try:
            url = f"http://{LOOPBACK}:{port}"
            wait_healthy(f"{url}/_cluster/health", node, START_SECONDS)
            yield url
        finally:
            stop([node], grace_seconds=30)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _fetch(cache: Path) -> Path:
    if shutil.which("mvn") is None or _java_version() < JAVA:
        raise NodeUnavailableError(
            f"mvn and java {JAVA} or later are not on the PATH: apt-get install maven openjdk-17-jre-headless"
        )
    parts = cache / "parts"
    if not parts.exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "pom.xml").write_text(_POM)
        command = ["mvn", "-q", "-B", "-f", str(cache / "pom.xml"), _COPY_DEPENDENCIES]
        unfinished = cache / "unfinished"
        try:
            fetched = subprocess.run(
                [*command, f"-DoutputDirectory={unfinished}"],
                capture_output=True,
                timeout=DOWNLOAD_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NodeUnavailableError(f"mvn did not fetch OpenSearch within {DOWNLOAD_SECONDS} s: again") from error
        if fetched.returncode:
            raise NodeUnavailableError(f"mvn could not fetch OpenSearch: {fetched.stdout.decode()[-500:]}")
        unfinished.rename(parts)
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in parts.iterdir()}
    wanted = {name: digest for digest, name in map(str.split, CHECKSUMS.read_text().splitlines())}
    differing = sorted(name for name, _ in found.items() ^ wanted.items())
    assert not differing, f"{', '.join(differing)} in {parts}: not the files of {CHECKSUMS.name}; remove the folder"
    return parts


def _assemble(parts: Path, place: Path) -> Path:
    subprocess.run(["unzip", "-q", str(parts / f"opensearch-{VERSION}.zip"), "-d", str(place)], check=True)
    home = place / f"opensearch-{VERSION}"
    knn = home / "plugins" / "opensearch-knn"
    shutil.unpack_archive(parts / f"opensearch-knn-{VERSION}.0.zip", knn)
    descriptor = knn / "plugin-descriptor.properties"
    descriptor.write_text(descriptor.read_text().replace("extended.plugins=lang-painless", "extended.plugins="))
    reindex = home / "plugins" / "reindex"
    reindex.mkdir()
    (reindex / "plugin-descriptor.properties").write_text(_REINDEX_DESCRIPTOR)
    provided = {jar.name for jar in (home / "lib").glob("*.jar")}
    for jar in parts.glob("*.jar"):
        if jar.name not in provided:
            shutil.copy(jar, reindex)
    return home


def _as_nobody(place: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    subprocess.run(["chown", "-R", "nobody", str(place)], check=True)
    return ["setpriv", "--reuid=nobody", "--clear-groups"]


def _java_version() -> int:
    if shutil.which("java") is None:
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _java_home() -> str:
    return str(Path(shutil.which("java") or "").resolve().parent.parent)
