"""The images of the cluster: the pause image, the engine's almost empty image, and the operator's."""

from pathlib import Path

from devcluster import archive
from devcluster.archive import Image
from devcluster.binaries import binary
from devcluster.engine import CONTAINER_DIRECTORY
from devcluster.paths import PACKAGE, home

PAUSE = "docker.io/specdecode/pause:dev"
ENGINE = "docker.io/vllm/vllm-openai:v0.32.0"
OPERATOR = "docker.io/specdecode/specdecode-operator:dev"

ENTRYPOINT = PACKAGE / "engine_image" / "entrypoint"
SEARCH_PATH = f"{CONTAINER_DIRECTORY}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def directory() -> Path:
    """The folder of the images' archives."""
    folder = home() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pause() -> Path:
    """The archive of the image that holds a pod's namespaces open."""
    image = Image(PAUSE, ["/pause"], programs={"pause": binary("pause")})
    return archive.write(image, directory() / "pause.tar")


def engine() -> Path:
    """The archive of the engine's image: an entrypoint, and links into what the runtime class mounts."""
    image = Image(
        ENGINE,
        ["/entrypoint"],
        programs={"entrypoint": ENTRYPOINT},
        texts={
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
            "etc/group": "root:x:0:\nnogroup:x:65534:\n",
            "etc/nsswitch.conf": "hosts: files dns\n",
        },
        links={name: f"usr/{name}" for name in ("bin", "lib", "lib64", "sbin")},
        folders={"usr": 0o755, "root": 0o700, "tmp": 0o1777, "var": 0o755, "var/tmp": 0o1777},
        environment={"PATH": SEARCH_PATH},
    )
    return archive.write(image, directory() / "engine.tar")
