"""What the hub loads first: the platform's configuration, then the site's own files in the order of their names.

Those see and change the same `c`, so that what was written for another hub on Kubernetes works here.
"""

from pathlib import Path

from platform_hub.configure import configure
from platform_hub.settings import load

FOLDER = Path("/etc/jupyterhub")

configure(c, load(FOLDER / "settings.json"))
for path in sorted(FOLDER.glob("jupyterhub_config.d/*.py")):
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"))  # noqa: S102 - the site's own code is what it is for
