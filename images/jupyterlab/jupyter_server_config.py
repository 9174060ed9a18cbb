"""Settings of every server that is started from this image."""

c = get_config()  # noqa: F821 - Jupyter puts it there

# Deleting moves a file into a trash folder that nobody empties and that does not exist on other volumes such as /shared.
c.FileContentsManager.delete_to_trash = False
# Not a login shell: Debian's /etc/profile would take the Python environment out of the path.
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}
