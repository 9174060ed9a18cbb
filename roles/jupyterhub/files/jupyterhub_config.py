"""What the hub loads first: the platform's configuration, then the site's own files in the order of their names."""

from pathlib import Path

from platform_hub.configure import configure
from platform_hub.settings import load

FOLDER = Path("/etc/jupyterhub")

configure(c, load(FOLDER / "settings.json"))
for path in sorted(FOLDER.glob("jupyterhub_config.d/*.py")):
    load_subconfig(str(path))
