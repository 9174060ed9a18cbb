"""Settings of every server that is started from this image."""

import os

c = get_config()  # noqa: F821 - Jupyter puts it there

# Deleting moves a file into a trash folder that nobody empties and that does not exist on other volumes such as /shared.
c.FileContentsManager.delete_to_trash = False
# Not a login shell: Debian's /etc/profile would take the Python environment out of the path.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
# In the status bar: how full the volume of the home is, beside the memory that is used.
c.ResourceUseDisplay.track_disk_usage = True
c.ResourceUseDisplay.disk_path = os.environ["HOME"]
c.ResourceUseDisplay.disk_warning_threshold = 0.1
