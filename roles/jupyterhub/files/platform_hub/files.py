"""Homes and shared folders: what is mounted into a server, and how the folders come to exist.

The folders are made by an init container that runs with the user's own uid and no privilege. It alone sees the whole
volume, runs a fixed script, and never follows a path that a user could have made. The server sees only its folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from platform_hub.access import Person, folder_modes, visible_volumes
from platform_hub.names import group_slug, keep_placeholders, user_slug
from platform_hub.profiles import volume_overrides
from platform_hub.settings import Files

GID = 100
SHARED_UID = 1000
FIRST_OWN_UID = 100_000
SKELETON = "jupyterhub-skeleton"
PASSWD_ANNOTATION = "platform.qhub.dev/passwd"  # noqa: S105 - the name of an annotation

# $0 is the home's slug, the arguments are the slugs of the shared folders.
_MAKE_FOLDERS = keep_placeholders("""
umask 0007
cd /platform-files
mkdir -p -m 2770 home shared
mkdir -p -m 0700 "home/$0"
if [ ! -w "home/$0" ]; then
  echo "The home folder home/$0 belongs to somebody else; its owner has to be $(id -u):$(id -g)" >&2
  exit 1
fi
for folder in "$@"; do
  mkdir -p -m 2770 "shared/$folder"
done
if [ "$#" -gt 0 ] && [ ! -e "home/$0/shared" ] && [ ! -L "home/$0/shared" ]; then
  ln -s /shared "home/$0/shared" || true  # not worth a server when the home is full
fi
""")

# Runs with nothing but the home mounted: a link that the user made leads nowhere but into the own pod. What is there
# already is the user's and stays.
_COPY_SKELETON = keep_placeholders("""
umask 0022
for file in "$@"; do
  if [ ! -e "$HOME/$file" ] && [ ! -L "$HOME/$file" ]; then
    if ! { mkdir -p "$(dirname "$HOME/$file")" && cp "/platform-skeleton/$file" "$HOME/$file"; }; then
      rm -f "$HOME/$file"  # a home that is full has to start all the same
    fi
  fi
done
""")


@dataclass(frozen=True)
class UserFiles:
    """What a server needs of the spawner to see its files."""

    home: str
    uid: int
    volumes: dict[str, Any]
    volume_mounts: dict[str, Any]
    init_containers: dict[str, Any]
    environment: dict[str, str]
    annotations: dict[str, str]


def user_uid(user_id: int, per_user: bool) -> int:
    """The uid of a user's processes: one for all, or one for each, which the hub's number for the user gives."""
    return FIRST_OWN_UID + user_id if per_user else SHARED_UID


def user_files(person: Person, user_id: int, files: Files, image: str) -> UserFiles:
    """All that concerns files in one person's pod."""
    slug = user_slug(person.name)
    home = f"/home/{slug}"
    uid = user_uid(user_id, files["per_user_uid"])
    folders = {
        group_slug(name): writable
        for name, writable in folder_modes(
            person.groups, files["folders"], files["group_folders"], files["group_folders_excluded"]
        ).items()
    }
    extra = volume_overrides(visible_volumes(person, files["volumes"]))
    volumes: dict[str, Any] = {
        "files": {"name": "files", "persistentVolumeClaim": {"claimName": files["claim"]}},
        "passwd": {
            "name": "passwd",
            "downwardAPI": {
                "items": [{"path": "passwd", "fieldRef": {"fieldPath": f"metadata.annotations['{PASSWD_ANNOTATION}']"}}]
            },
        },
        **extra["volumes"],
    }
    home_mount = {"name": "files", "mountPath": home, "subPath": f"home/{slug}"}
    mounts: dict[str, Any] = {
        "home": home_mount,
        "passwd": {"name": "passwd", "mountPath": "/etc/passwd", "subPath": "passwd", "readOnly": True},
        **{
            f"shared-{folder}": {
                "name": "files",
                "mountPath": f"/shared/{folder}",
                "subPath": f"shared/{folder}",
                "readOnly": not writable,
            }
            for folder, writable in folders.items()
        },
        **extra["volume_mounts"],
    }
    containers: dict[str, Any] = {
        "10-folders": _container(
            "folders",
            image,
            uid,
            [_MAKE_FOLDERS, slug, *folders],
            [{"name": "files", "mountPath": "/platform-files"}],
        )
    }
    if files["skeleton"]:
        # Keys of a ConfigMap have no slash: the role writes each file under the hash of its path.
        items = [{"key": _key(path), "path": path} for path in files["skeleton"]]
        volumes["skeleton"] = {"name": "skeleton", "configMap": {"name": SKELETON, "items": items}}
        containers["20-skeleton"] = _container(
            "skeleton",
            image,
            uid,
            [_COPY_SKELETON, "skeleton", *files["skeleton"]],
            [home_mount, {"name": "skeleton", "mountPath": "/platform-skeleton", "readOnly": True}],
            env=[{"name": "HOME", "value": home}],
        )
    return UserFiles(
        home=home,
        uid=uid,
        volumes=volumes,
        volume_mounts=mounts,
        init_containers=containers,
        environment={
            "HOME": home,
            "NB_USER": slug,
            "USER": slug,
            "LOGNAME": slug,
            "NB_UMASK": "0002",
            # Not in the home, because a server has to start when that is full: how else would anybody make room?
            "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",  # noqa: S108 - the pod is one person's own
            "PREFERRED_USERNAME": keep_placeholders(person.name),
        },
        annotations={PASSWD_ANNOTATION: _passwd(slug, uid, home)},
    )


def _key(path: str) -> str:
    return sha1(path.encode(), usedforsecurity=False).hexdigest()


def _passwd(login: str, uid: int, home: str) -> str:
    """The pod's user database, so that every program shows the person's own name whatever the uid is."""
    return "".join(
        [
            "root:x:0:0:root:/root:/bin/sh\n",
            f"{login}:x:{uid}:{GID}:{login}:{home}:/bin/bash\n",
            "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        ]
    )


def restricted(uid: int) -> dict[str, Any]:
    """Security context of every container in a user's pod."""
    return {
        "runAsUser": uid,
        "runAsGroup": GID,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container(
    name: str,
    image: str,
    uid: int,
    script: list[str],
    mounts: list[dict[str, Any]],
    env: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "command": ["/bin/sh", "-euc", *script],
        "env": env or [],
        "volumeMounts": mounts,
        "securityContext": {**restricted(uid), "readOnlyRootFilesystem": True},
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "500m", "memory": "64Mi"},
        },
    }
