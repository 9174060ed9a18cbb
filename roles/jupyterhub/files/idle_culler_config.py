"""What the idle culler loads."""

from pathlib import Path

from platform_hub.configure import configure_culler
from platform_hub.culling import arbiter
from platform_hub.settings import load

settings = load(Path("/etc/jupyterhub/settings.json"))
configure_culler(c, settings, arbiter(settings))
